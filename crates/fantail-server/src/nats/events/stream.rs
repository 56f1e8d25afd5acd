//! The stream of events of a cluster: its settings, and its creation.

use std::io;

use fantail_fleet::{counts::token, events::subjects_of};
use serde_json::{Value, json};

use super::super::{NatsOptions, connection::Connection};

/// A stream that exists.
#[derive(Debug)]
pub(super) struct StreamState {
    pub(super) name: String,
    /// What tells it from another stream of this name.
    pub(super) created: String,
    /// The sequence of its last message.
    pub(super) last: u64,
}

/// The settings of a stream of events that is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventStreamSettings {
    /// The replicas.
    pub replicas: u32,
    /// The most bytes; beyond, the oldest messages are removed.
    pub bytes: u64,
}

/// Returns the state of the stream, which is created if it does not exist.
///
/// # Errors
/// The broker does not answer, or the stream has settings that lose events.
pub(super) async fn state(
    options: &NatsOptions,
    connection: &Connection,
    wanted: EventStreamSettings,
) -> io::Result<StreamState> {
    let name = format!("FANTAIL_EVENTS_{}", token(&options.cluster));
    let asked = format!("$JS.API.STREAM.INFO.{name}");
    let info = match connection.ask(asked, &json!({})).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let create = format!("$JS.API.STREAM.CREATE.{name}");
            let wanted = settings(options, &name, wanted);
            connection.ask(create, &wanted).await?
        }
        info => info?,
    };
    check(&info)?;
    let last = info.pointer("/state/last_seq").and_then(Value::as_u64);
    let created = info.get("created").and_then(Value::as_str);
    Ok(StreamState {
        name,
        created: created.unwrap_or_default().to_owned(),
        last: last.unwrap_or(0),
    })
}

fn settings(options: &NatsOptions, name: &str, wanted: EventStreamSettings) -> Value {
    json!({
        "name": name,
        "subjects": [subjects_of(&options.cluster)],
        "retention": "limits",
        "storage": "file",
        "discard": "old",
        "max_msgs_per_subject": -1,
        "max_msgs": -1,
        "max_bytes": wanted.bytes,
        "max_age": 0,
        "max_consumers": -1,
        "num_replicas": wanted.replicas,
        // Readers find repeated events by their ids.
        "duplicate_window": 100_000_000,
        "allow_rollup_hdrs": false,
    })
}

/// Refuses settings by which a host could remove the events of others, or with which the
/// stream forgets events that were not read.
fn check(info: &Value) -> io::Result<()> {
    let setting = |name: &str| info.get("config").and_then(|config| config.get(name));
    let refuse = |what: &str| Err(io::Error::other(format!("the stream of events {what}")));
    if setting("allow_rollup_hdrs").and_then(Value::as_bool) == Some(true) {
        return refuse("must not have allow_rollup_hdrs: any host could remove all messages");
    }
    let of_subject = setting("max_msgs_per_subject").and_then(Value::as_i64);
    if of_subject.is_some_and(|most| most > 0) {
        return refuse("must not have max_msgs_per_subject: it would forget events");
    }
    if setting("retention").and_then(Value::as_str) != Some("limits") {
        return refuse("must have retention = limits: another reader would remove messages");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{EventStreamSettings, check, settings};
    use crate::NatsOptions;

    #[test]
    fn settings_that_lose_events_are_refused() {
        let wanted = EventStreamSettings {
            replicas: 1,
            bytes: 1 << 30,
        };
        let good = settings(&NatsOptions::new("nats://localhost"), "x", wanted);
        assert!(check(&json!({ "config": good })).is_ok());
        for (name, value) in [
            ("allow_rollup_hdrs", json!(true)),
            ("max_msgs_per_subject", json!(1)),
            ("retention", json!("workqueue")),
        ] {
            let mut bad = good.clone();
            bad[name] = value;
            assert!(check(&json!({ "config": bad })).is_err(), "{name}");
        }
    }
}
