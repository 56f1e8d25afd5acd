//! The token of HTTP: a secret in a file.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use subtle::ConstantTimeEq as _;

use crate::http::{
    error::{HttpError, HttpErrorKind},
    reread::read_file,
};

/// The largest file of a token.
const MAX_TOKEN_BYTES: u64 = 4096;

/// A secret, which is not printed.
pub(crate) struct Token(Vec<u8>);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// Returns whether `given` is the token. The comparison takes constant time: its
    /// duration must not reveal the token.
    pub(super) fn is(&self, given: &[u8]) -> bool {
        self.0.ct_eq(given).into()
    }

    /// Returns whether both are the same secret.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

pub(super) fn read(files: &[PathBuf]) -> Result<Vec<Vec<u8>>, HttpError> {
    let read = files.iter().map(|path| {
        read_file(path, MAX_TOKEN_BYTES)
            .map_err(|error| HttpError::because(HttpErrorKind::Token, path, error))
    });
    read.collect()
}

pub(super) fn parse(files: &[PathBuf], contents: &[Vec<u8>]) -> Result<Token, HttpError> {
    let token = contents.iter().flatten().copied().collect::<Vec<_>>();
    let token = token.trim_ascii();
    if token.is_empty() {
        let path = files.first().map_or("".as_ref(), PathBuf::as_path);
        return Err(expected_token(path));
    }
    Ok(Token(token.to_vec()))
}

fn expected_token(path: &Path) -> HttpError {
    let what = "expected a token, as `openssl rand -hex 32` makes";
    HttpError::expected(HttpErrorKind::Token, path, what)
}
