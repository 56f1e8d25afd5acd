//! Invariants that do not hold.

use std::fmt;

/// An invariant that does not hold.
#[derive(Debug)]
pub struct Broken(String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Broken {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Returns an error with a message unless the condition holds.
pub(crate) fn holds(condition: bool, message: impl FnOnce() -> String) -> Result<(), Broken> {
    match condition {
        true => Ok(()),
        false => Err(Broken::new(message())),
    }
}
