//! The counts of the state file, at the start.

use std::{io, thread, time::Duration};

use fantail_metrics::state::State;
use tokio::sync::oneshot;

use crate::{
    Log, ServerError, ServerOptions, StateFile,
    worker::{Message, Worker},
};

/// How long a start waits for the file system of the state file.
const STATE_TIMEOUT: Duration = Duration::from_secs(10);

/// Gives the counts of the state file to a worker, to one without clients if there is one:
/// a dump merges all. Returns whether there were any.
///
/// A state that cannot be read is renamed, and counting starts at zero. A file
/// system that does not answer is an error: the end would overwrite the state.
pub(super) fn restore(
    options: &ServerOptions,
    workers: &[Worker],
    with_clients: usize,
) -> Result<bool, ServerError> {
    let worker = workers.get(with_clients).or_else(|| workers.first());
    let (Some(path), Some(worker)) = (&options.state, worker) else {
        return Ok(false);
    };
    let log = &options.log;
    let (reply, read) = std::sync::mpsc::channel();
    let (file, logs) = (StateFile::new(path), log.clone());
    let thread = thread::Builder::new().name("state".to_owned());
    thread.spawn(move || {
        let _ = reply.send(read_state(&file, &logs));
    })?;
    let late = |_| {
        let path = path.display();
        let what = format!("the file system of {path} did not answer within {STATE_TIMEOUT:?}");
        io::Error::new(io::ErrorKind::TimedOut, what)
    };
    let Some(state) = read.recv_timeout(STATE_TIMEOUT).map_err(late)? else {
        return Ok(false);
    };
    let (reply, restored) = oneshot::channel();
    worker.inbox.send(Message::Restore(Box::new(state), reply));
    if let Ok(restored) = restored.blocking_recv()
        && restored.left_out > 0
    {
        log.say(format_args!(
            "{}: {} metrics have changed or were removed; their counts are left out",
            path.display(),
            restored.left_out
        ));
    }
    Ok(true)
}

/// Reads the state, removes left-overs, and logs if the state cannot be saved.
fn read_state(file: &StateFile, log: &Log) -> Option<State> {
    let state = file.read().unwrap_or_else(|error| {
        log.say(format_args!("{error}; all counts start at zero"));
        match file.put_aside() {
            Ok(aside) => log.say(format_args!("it is renamed to {}", aside.display())),
            Err(error) => log.say(format_args!("it cannot be renamed: {error}")),
        }
        None
    });
    let prepared = file.remove_left_overs().and_then(|_| file.check_writable());
    if let Err(error) = prepared {
        log.say(format_args!(
            "{error}; without it, the counts of this run are lost at its end"
        ));
    }
    state
}
