//! Opening of regular files, and of nothing else.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// Opens a regular file. Other kinds of files are refused, because opening or
/// writing a FIFO or a device may block for ever; `O_NONBLOCK` has no effect on
/// regular files.
///
/// # Errors
/// The file cannot be opened, or is a symbolic link, FIFO, socket, device or
/// folder.
pub fn open_regular(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    open(options, path, libc::O_NOFOLLOW)
}

/// Opens a regular file as [`open_regular`], and follows symbolic links.
///
/// # Errors
/// The file cannot be opened, or is a FIFO, socket, device or folder.
pub fn open_regular_or_link(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    open(options, path, 0)
}

fn open(options: &mut OpenOptions, path: &Path, flags: i32) -> io::Result<File> {
    let opened = options.custom_flags(libc::O_NONBLOCK | flags).open(path);
    let file = opened.map_err(|error| match error.raw_os_error() {
        // A FIFO without a reader, or a socket.
        Some(libc::ENXIO) => refused("it is not a regular file"),
        Some(libc::ELOOP) if flags != 0 => refused("it is a symbolic link"),
        _ => error,
    })?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(refused("it is not a regular file"))
    }
}

fn refused(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
