//! The end of exporters: all close at the same time.

use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use fantail_transport::{DropReason, QueueStatus};

use super::Running;
use crate::Log;

/// The time after which the end of exporters is logged: most need less.
const SILENCE: Duration = Duration::from_millis(500);

/// Closes exporters, which send what they have within `patience` together.
/// Returns whether no waiting event was lost. Logs what takes longer and what is
/// lost.
pub(super) fn close_all<'r>(
    running: impl Iterator<Item = &'r Arc<Running>>,
    patience: Duration,
    log: &Log,
) -> bool {
    let running: Vec<_> = running.collect();
    let begun = Instant::now();
    for one in &running {
        one.queue.begin_close(patience);
    }
    let until = begun + SILENCE.min(patience);
    let waiting = running
        .iter()
        .filter(|one| !one.queue.wait_until_ended(until));
    let mut waiting = waiting.peekable();
    if waiting.peek().is_some() {
        let names: Vec<String> = waiting.map(|one| awaited(one)).collect();
        log.say(format_args!(
            "waiting for exporters, {} s at most: {}",
            patience.as_secs_f64(),
            names.join("; ")
        ));
    }
    let mut all_kept = true;
    for one in running {
        if !one.queue.wait_until_closed() {
            all_kept = false;
            let QueueStatus { waiting, .. } = one.queue.status();
            let lost = waiting + one.queue.counters().dropped(DropReason::Closed);
            log.say(format_args!(
                "exporter {}: {lost} events could not be sent before the end and are lost",
                one.name
            ));
        }
    }
    all_kept
}

/// The name of an exporter and the reason to wait for it.
fn awaited(running: &Running) -> String {
    let status = running.queue.status();
    let mut text = format!("{} has {} events", running.name, status.waiting);
    if let Some(error) = status.last_error {
        // Writing to a string does not fail.
        let _ = write!(text, ", {}", error.message);
    }
    text
}
