//! The stream of a cluster: its settings, and its creation.

use std::io;

use fantail_fleet::counts::token;
use serde_json::{Value, json};

use super::{NatsOptions, connection::Connection};

/// Returns the name of the stream.
pub(super) fn name(options: &NatsOptions) -> String {
    format!("FANTAIL_COUNTS_{}", token(&options.cluster))
}

/// Returns the last sequence of the stream, which is created if it does not exist.
///
/// # Errors
/// The broker does not answer, or the stream has settings that lose counts.
pub(super) async fn last_sequence(
    options: &NatsOptions,
    connection: &Connection,
    replicas: u32,
) -> io::Result<u64> {
    let name = name(options);
    let asked = format!("$JS.API.STREAM.INFO.{name}");
    let info = match connection.ask(asked, &json!({})).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let create = format!("$JS.API.STREAM.CREATE.{name}");
            let wanted = settings(options, replicas);
            connection.ask(create, &wanted).await?
        }
        info => info?,
    };
    check(&info)?;
    let last = info.pointer("/state/last_seq").and_then(Value::as_u64);
    Ok(last.unwrap_or(0))
}

fn settings(options: &NatsOptions, replicas: u32) -> Value {
    json!({
        "name": name(options),
        "subjects": [format!("fantail.c1.{}.>", token(&options.cluster))],
        "retention": "limits",
        "storage": "file",
        "discard": "old",
        "max_msgs_per_subject": 1,
        "max_msgs": -1,
        "max_bytes": -1,
        "max_age": 0,
        "max_consumers": -1,
        "num_replicas": replicas,
        "duplicate_window": 100_000_000,
        "allow_rollup_hdrs": false,
    })
}

/// Refuses settings by which a host could remove the counts of others, or with which the
/// stream forgets counts.
fn check(info: &Value) -> io::Result<()> {
    let setting = |name: &str| info.get("config").and_then(|config| config.get(name));
    let number = |name: &str| setting(name).and_then(Value::as_i64).unwrap_or(-1);
    let refuse = |what: &str| Err(io::Error::other(format!("the stream of counts {what}")));
    if setting("allow_rollup_hdrs").and_then(Value::as_bool) == Some(true) {
        return refuse("must not have allow_rollup_hdrs: any host could remove all messages");
    }
    if number("max_msgs_per_subject") != 1 {
        return refuse("must have max_msgs_per_subject = 1");
    }
    if number("max_age") > 0 || number("max_msgs") > 0 {
        return refuse("must have neither max_age nor max_msgs: it would forget counts");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{check, settings};
    use crate::NatsOptions;

    #[test]
    fn settings_that_lose_counts_are_refused() {
        let good = settings(&NatsOptions::new("nats://localhost"), 1);
        assert!(check(&json!({ "config": good })).is_ok());
        for (name, value) in [
            ("allow_rollup_hdrs", json!(true)),
            ("max_msgs_per_subject", json!(-1)),
            ("max_age", json!(1_000)),
            ("max_msgs", json!(10)),
        ] {
            let mut bad = good.clone();
            bad[name] = value;
            assert!(check(&json!({ "config": bad })).is_err(), "{name}");
        }
    }
}
