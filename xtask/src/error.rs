//! Errors of tasks. A task that ran and found defects is not an error.

use std::{error, fmt, path::Path};

type Source = Box<dyn error::Error + Send + Sync>;

/// A task that cannot be carried out.
#[derive(Debug)]
pub(crate) struct Error {
    message: String,
    source: Option<Source>,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    /// Returns an error with its cause.
    pub(crate) fn caused(message: impl Into<String>, source: impl Into<Source>) -> Self {
        Self {
            message: message.into(),
            source: Some(source.into()),
        }
    }

    /// Returns a function for `map_err`: the operation, its file, and the cause.
    pub(crate) fn at<'a, S: Into<Source>>(
        what: &'a str,
        path: &'a Path,
    ) -> impl FnOnce(S) -> Self + 'a {
        move |source| Self::caused(format!("cannot {what} {}", path.display()), source)
    }
}

/// The message with its cause.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
