//! The outcome of an attack.

use std::time::Duration;

use serde_json::json;

#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) attack: &'static str,
    /// Why the attack was skipped.
    pub(super) skipped: Option<String>,
    /// What broke; empty if the attack passed.
    pub(super) failures: Vec<String>,
    pub(super) peak_bytes: u64,
    pub(super) longest_stall: Duration,
    /// The longest turn of a worker or of control, in CPU time.
    pub(super) longest_turn: Duration,
    /// From SIGTERM to the end of the server.
    pub(super) end: Duration,
    /// From the start of the server to its end.
    pub(super) whole: Duration,
}

impl Report {
    pub(super) fn skipped(attack: &'static str, why: String) -> Self {
        Self {
            attack,
            skipped: Some(why),
            ..Self::default()
        }
    }

    pub(super) fn to_json(&self) -> serde_json::Value {
        if let Some(why) = &self.skipped {
            return json!({ "attack": self.attack, "skipped": why });
        }
        json!({
            "attack": self.attack,
            "passed": self.failures.is_empty(),
            "failures": self.failures,
            "peak_bytes": self.peak_bytes,
            "longest_stall_seconds": self.longest_stall.as_secs_f64(),
            "longest_turn_seconds": self.longest_turn.as_secs_f64(),
            "end_seconds": self.end.as_secs_f64(),
            "seconds": self.whole.as_secs_f64(),
        })
    }
}
