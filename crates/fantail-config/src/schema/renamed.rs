//! Names of settings in the other dialect, for suggestions.

use fantail_event::Dialect;

use crate::{schema::Kind, syntax::raw::RawSetting, syntax::variable};

/// The kind, the name in 2.3, and the name in 2.4.
const RENAMED: [(Kind, &str, &str); 4] = [
    (Kind::Exporter, "transport", "driver"),
    (Kind::Exporter, "transport_args", "http_post_url"),
    (
        Kind::Exporter,
        "transport_timeout",
        "http_client_request_absolute_timeout",
    ),
    (Kind::Exporter, "format_args", "time_format"),
];

/// Settings of metrics before 2.3.12, and their replacements in a filter.
const OLD: [(&str, &str); 3] = [
    ("event_name", "event"),
    ("source_location", "source_location"),
    ("categories", "category"),
];

/// Returns advice for a name of the other dialect only.
pub(crate) fn hint(kind: Kind, dialect: Dialect, name: &[u8]) -> Option<String> {
    if kind == Kind::Metric {
        let (_, new) = OLD.iter().find(|(old, _)| old.as_bytes() == name)?;
        return Some(format!("write `{new}=…` in the `filter`"));
    }
    let full = kind.name().as_bytes();
    let short = name
        .strip_prefix(full)
        .and_then(|rest| rest.strip_prefix(b"_"))
        .unwrap_or(name);
    for (of, old, new) in RENAMED.iter().filter(|(of, ..)| *of == kind) {
        match dialect {
            Dialect::V2_4 if name == old.as_bytes() => {
                return Some(format!("in a 2.4 configuration this is `{new}`"));
            }
            Dialect::V2_3 if *of == Kind::Exporter && short == new.as_bytes() => {
                return Some(format!(
                    "in a 2.3 configuration this is `{old}`; one of 2.4 begins with `dovecot_config_version`"
                ));
            }
            _ => {}
        }
    }
    None
}

/// Returns the argument for a block that was written as a setting.
pub(crate) fn block_argument(setting: &RawSetting) -> String {
    let value = setting.value.bytes();
    let word = variable::words(value)
        .next()
        .and_then(|word| value.get(word));
    let name = word.and_then(|word| word.split(|byte| *byte == b':').next());
    String::from_utf8_lossy(name.unwrap_or(b"NAME")).into_owned()
}
