//! Errors in the options of HTTP and in the files that they name.

use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

type Source = Box<dyn Error + Send + Sync>;

/// An error in the options of HTTP, or in a file that they name.
#[derive(Debug)]
pub(crate) struct HttpError {
    kind: HttpErrorKind,
    path: PathBuf,
    source: Option<Source>,
}

/// The kind of an [`HttpError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum HttpErrorKind {
    /// All of HTTP is private, but no client has access without a token or a Unix socket.
    NoWayIn,
    /// There is a page, but no client has access without a token or a Unix socket.
    NoWayToPage,
    /// The token file cannot be read or is invalid.
    Token,
    /// The certificate file cannot be read or is invalid.
    Certificate,
    /// The key file cannot be read or is invalid.
    Key,
    /// The key belongs to another certificate.
    OtherKey,
    /// The file system does not answer in time.
    Stuck,
}

impl HttpError {
    pub(super) fn new(kind: HttpErrorKind, path: &Path) -> Self {
        Self {
            kind,
            path: path.to_owned(),
            source: None,
        }
    }

    pub(super) fn because(kind: HttpErrorKind, path: &Path, source: impl Into<Source>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(kind, path)
        }
    }

    /// Returns the error of a file with unexpected contents.
    pub(super) fn expected(kind: HttpErrorKind, path: &Path, what: &'static str) -> Self {
        Self::because(kind, path, io::Error::new(io::ErrorKind::InvalidData, what))
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.kind {
            HttpErrorKind::NoWayIn => f.write_str(
                "private HTTP needs a token or a socket; set `--http-token` or `--http-socket`",
            )?,
            HttpErrorKind::NoWayToPage => f.write_str(
                "the page shows personal data and needs a token or a socket; set \
                 `--http-token` or `--http-socket`",
            )?,
            HttpErrorKind::Token => write!(f, "cannot read the token of HTTP from {path}")?,
            HttpErrorKind::Certificate => write!(f, "cannot use the TLS certificate {path}")?,
            HttpErrorKind::Key => write!(f, "cannot use the TLS key {path}")?,
            HttpErrorKind::OtherKey => write!(
                f,
                "the TLS key {path} belongs to another certificate than that of \
                 `--http-tls-cert`"
            )?,
            HttpErrorKind::Stuck => write!(
                f,
                "the file system of {path} does not answer; the files of \
                 `--http-token`, `--http-tls-cert` and `--http-tls-key` are needed for the start"
            )?,
        }
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl Error for HttpError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_ref();
        source.map(|error| &**error as &(dyn Error + 'static))
    }
}
