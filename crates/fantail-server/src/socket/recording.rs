//! Requests for recordings.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, path::Path, time::Duration};

use fantail_wire::reader::{RecordParts, RecordStatus, Reply};

use super::peer::Peer;
use crate::{ControlError, ControlErrorKind, Handle, RecordSettings};

/// How long a recording may last.
const MAX_DURATION: Duration = Duration::from_secs(24 * 3600);

/// Starts a recording.
pub(super) async fn start(
    parts: &RecordParts<'_>,
    handle: &Handle,
    peer: &Peer,
) -> Result<(), ControlError> {
    check(peer)?;
    let path = Path::new(OsStr::from_bytes(&parts.path));
    if !path.is_absolute() {
        let what = "the path of the recording does not begin with /";
        return Err(ControlError::new(ControlErrorKind::Recording, what));
    }
    let duration = Duration::from_secs(parts.seconds.into()).min(MAX_DURATION);
    let settings = RecordSettings {
        path: path.to_owned(),
        limit: parts.bytes,
        duration: Some(duration),
    };
    handle.start_recording(settings).await
}

/// Stops the recording.
pub(super) async fn stop(handle: &Handle, peer: &Peer) -> Result<(), ControlError> {
    check(peer)?;
    handle.recordings.stop("it was stopped").await
}

/// The lines of the last recording.
pub(super) fn status(handle: &Handle) -> Vec<u8> {
    let mut lines = Vec::new();
    let Some(status) = handle.recordings.status() else {
        let why = "nothing was recorded since the server started";
        Reply::Refused(format!("FANTAIL-RECORD-STATUS: {why}").into_bytes()).write(&mut lines);
        return lines;
    };
    Reply::Done.write(&mut lines);
    let ended = status.ended.unwrap_or_default();
    RecordStatus {
        path: status.path.as_os_str().as_bytes().into(),
        began: status.began.unix_micros(),
        bytes: status.recorded,
        limit: status.limit,
        seconds_left: status.left.map(|left| left.as_secs()),
        ended: ended.as_bytes().into(),
    }
    .write(&mut lines);
    lines
}

/// A client with fewer rights than the server could have it create files that it may
/// not create.
fn check(peer: &Peer) -> Result<(), ControlError> {
    match peer.is_trusted() {
        true => Ok(()),
        false => {
            let what = "only root and the user of fantail may record";
            Err(ControlError::new(ControlErrorKind::Recording, what))
        }
    }
}
