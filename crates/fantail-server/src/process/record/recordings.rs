//! Starts and stops recordings while the server runs, one at a time.

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::timeout;

use super::{RecordSettings, Recorder, RecordingStatus};
use crate::{
    ControlError, ControlErrorKind, Log,
    memory::{Budget, Memory, Part},
    process::thread,
};

/// The timeout of file operations of a recording.
const FILE_TIMEOUT: Duration = Duration::from_secs(10);

/// The last recording; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Recordings {
    last: Arc<Mutex<Option<Recorder>>>,
    /// Locked while a recording starts, so that no two start at once.
    starting: Arc<tokio::sync::Mutex<()>>,
    memory: Budget,
    log: Log,
}

impl Recordings {
    /// Creates the object with the recording that the server started with, if any.
    pub(crate) fn new(first: Option<Recorder>, memory: &Memory, log: &Log) -> Self {
        Self {
            last: Arc::new(Mutex::new(first)),
            starting: Arc::default(),
            memory: memory.budget(Part::Recordings),
            log: log.clone(),
        }
    }

    fn last(&self) -> Option<Recorder> {
        let last = self.last.lock();
        last.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts a recording, unless another one is running.
    pub(crate) async fn start(&self, settings: RecordSettings) -> Result<Recorder, ControlError> {
        let _turn = self.starting.lock().await;
        if let Some(last) = self.last().filter(|last| !last.is_over()) {
            let going_on = GoingOn(last.status());
            return Err(ControlError::new(ControlErrorKind::Recording, going_on));
        }
        let path = settings.path.clone();
        let (memory, log) = (self.memory.clone(), self.log.clone());
        let create = move || Recorder::create(&settings, &memory, log);
        let created = thread::run("recording", create);
        let created = match timeout(FILE_TIMEOUT, created).await {
            Ok(created) => created.and_then(|created| created),
            Err(_) => {
                let what = format!("the file system of {} does not answer", path.display());
                Err(io::Error::new(io::ErrorKind::TimedOut, what))
            }
        };
        let recorder =
            created.map_err(|error| ControlError::new(ControlErrorKind::Recording, error))?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(recorder.clone());
        self.log.say(format_args!(
            "recording what clients send to {}",
            path.display()
        ));
        Ok(recorder)
    }

    /// Ends the recording, and waits until its file is written.
    pub(crate) async fn stop(&self, why: &str) -> Result<(), ControlError> {
        let Some(last) = self.last().filter(|last| !last.is_over()) else {
            return Err(ControlErrorKind::NotRecording.into());
        };
        last.end(why);
        // The status shows the outcome, also after a timeout.
        let _ = thread::run("recording", move || last.wait(FILE_TIMEOUT)).await;
        Ok(())
    }

    /// Returns the status of the last recording.
    pub(crate) fn status(&self) -> Option<RecordingStatus> {
        self.last().map(|last| last.status())
    }
}

/// The error that a recording is already running.
#[derive(Debug)]
struct GoingOn(RecordingStatus);

impl fmt::Display for GoingOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.0.path.display();
        write!(f, "{path} is being recorded; stop that recording first")
    }
}

impl std::error::Error for GoingOn {}
