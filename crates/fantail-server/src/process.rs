//! The process: its clock, log, user, signals, service manager and files.

pub(crate) mod clock;
pub(crate) mod file_watch;
pub(crate) mod log;
pub(crate) mod privileges;
pub(crate) mod record;
pub(crate) mod sd_notify;
pub(crate) mod seen_files;
pub(crate) mod signals;
pub(crate) mod state_file;
pub(crate) mod sync;
pub(crate) mod thread;
pub(crate) mod turn;
