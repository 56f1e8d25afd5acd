//! Blocking work on threads of its own.

use std::{io, sync::mpsc, thread, time::Duration};

use tokio::sync::oneshot;

/// Runs blocking work on a thread and returns its result. A system that has no
/// thread to give is an error here; `tokio::task::spawn_blocking` panics.
///
/// The work goes on if the future is dropped.
///
/// # Errors
/// The system starts no thread, or the work panics.
pub(crate) async fn run<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    start(name, work)?
        .await
        .map_err(|_| io::Error::other(format!("the thread `{name}` panicked")))
}

/// Starts blocking work on a thread; the receiver gets its result.
///
/// # Errors
/// The system starts no thread.
pub(crate) fn start<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<oneshot::Receiver<T>> {
    let (reply, result) = oneshot::channel();
    let thread = thread::Builder::new().name(name.to_owned());
    thread
        .spawn(move || {
            // The caller may have gone.
            let _ = reply.send(work());
        })
        .map_err(|error| {
            let what = format!("the system starts no thread: {error}");
            io::Error::new(error.kind(), what)
        })?;
    Ok(result)
}

/// Runs blocking work on a thread and waits for its result, at most for `patience`.
///
/// The work goes on after a timeout.
///
/// # Errors
/// Fails if the system starts no thread, if the work panics, or after the timeout.
pub(crate) fn run_within<T: Send + 'static>(
    name: &str,
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (done, result) = mpsc::channel();
    start(name, move || {
        // After a timeout there is no receiver.
        let _ = done.send(work());
    })?;
    let late = |_| {
        let what = format!("no answer within {patience:?}");
        io::Error::new(io::ErrorKind::TimedOut, what)
    };
    result.recv_timeout(patience).map_err(late)
}
