//! The transport `file`: lines appended to a file.
//!
//! A line is written whole or not at all: a line that a full disk cut off is
//! removed, and a line that a crash cut off is ended before the next one. Only
//! this transport may rotate the file. Other programs may append to it, or rename
//! it and ask for it to be reopened.
//!
//! The settings are always available, the transport with the feature `file`.

#[cfg(feature = "file")]
mod access;
#[cfg(feature = "file")]
mod append;
#[cfg(feature = "file")]
mod open;
#[cfg(feature = "file")]
mod rotation;
mod settings;

pub use self::settings::{FileAccess, FileSettings, Rotation};
#[cfg(feature = "file")]
pub use self::{
    access::{group_id, user_id},
    append::FileTransport,
};
