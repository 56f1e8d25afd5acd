//! `docs/reference/all-settings.md`: the settings of all blocks, from their table.
//!
//! With `UPDATE_EXPECT=1` the page is written anew.

use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
};

use fantail_event::Dialect;
use fantail_format::Parts;
use fantail_metrics::{Limits, Top};

use crate::{
    load::{LoadOptions, load_text},
    resolve::size,
    schema::{Key, Kind, extension::Extension},
    settings::extension_value::ExtensionValue,
};

const HEAD: &str = "\
# All settings

```conf
metric imap_commands {
  filter = event=imap_command_finished
  fields = bytes_out
  exporter = audit
}

event_exporter audit {
  transport = file
  file_path = /var/log/fantail/events
  format = ndjson
  format_args = time-rfc3339
}
```

The tables list each setting of `metric`, `event_exporter` and `fantail` blocks that
fantail reads, with its name in each version of Dovecot. A name in italics is a setting
that only fantail has: put it into a file that Dovecot does not read. In 2.4, a
setting may also have its full name, with the name of its block in front
(`metric_filter`). `fantail config` prints the values of your configuration. [Settings
that only fantail has](../settings.md) and [Exporters](../exporters.md) describe them.
";

/// An exporter of each transport that has settings of its own.
const EXPORTERS: &str = "\
event_exporter file {
  transport = file
  file_path = /file
  format = json
  format_args = time-rfc3339
}
event_exporter http {
  transport = http-post
  transport_args = http://localhost/
  format = json
  format_args = time-rfc3339
}
event_exporter unix {
  transport = unix
  unix_path = /socket
  format = json
  format_args = time-rfc3339
}
event_exporter syslog {
  transport = syslog
  format = json
  format_args = time-rfc3339
}
event_exporter journal {
  transport = journal
  format = journal
  format_args = time-rfc3339
}
event_exporter nats {
  transport = nats
  nats_url = nats://localhost
  format = json
  format_args = time-rfc3339
}
event_exporter spool {
  transport = drop
  format = json
  format_args = time-rfc3339
  delivery = spool
  spool_path = /spool
}
";

/// The settings of the exporters above that have no default.
const NEEDED: [&str; 2] = ["nats_url", "spool_path"];

/// The values of the extension settings of these exporters.
fn extension_defaults() -> BTreeMap<&'static str, String> {
    let options = LoadOptions {
        dialect: Some(Dialect::V2_3),
        ..LoadOptions::default()
    };
    let loaded = load_text("x", EXPORTERS, &options);
    assert_eq!(loaded.diagnostics.to_lines(&loaded.sources), "");
    let mut defaults = BTreeMap::new();
    for exporter in &loaded.settings.exporters {
        for setting in exporter.extension_settings() {
            let text = match &setting.value {
                ExtensionValue::None => String::new(),
                ExtensionValue::Switch(true) => "yes".into(),
                ExtensionValue::Switch(false) => "no".into(),
                ExtensionValue::Number(number) => number.to_string(),
                ExtensionValue::Size(bytes) => size::write(*bytes),
                ExtensionValue::Interval(time) if time.as_millis() % 1000 == 0 => {
                    format!("{} secs", time.as_secs())
                }
                ExtensionValue::Interval(time) => format!("{} ms", time.as_millis()),
                ExtensionValue::Word(word) => (*word).to_owned(),
                ExtensionValue::Text(text) => String::from_utf8(text.clone()).unwrap(),
                ExtensionValue::List(_) | ExtensionValue::ContentsOf(_) => {
                    panic!("{} has no such default", setting.name)
                }
            };
            if setting.is_default {
                defaults.insert(setting.name, text);
            }
        }
    }
    defaults.insert("delivery", "best-effort".into());
    defaults
}

/// The meaning of a setting.
fn meaning(key: Key) -> &'static str {
    match key {
        Key::Name => "The name, if it is not that of the block.",
        Key::Description => "A text that scrapes show as help.",
        Key::Filter => "The filter that selects the events; required.",
        Key::Fields => "The fields whose values are summed.",
        Key::GroupBy => "The fields whose values divide the events into series.",
        Key::Exporter => "The exporters of the events.",
        Key::Include => "The parts of an event that exporters write.",
        Key::Field => "The field of this level.",
        Key::Method => "The grouping: `discrete`, `exponential`, `linear` or `top`.",
        Key::MethodName => "The method.",
        Key::Modifier => "The change of a value before it is grouped: `%{value \\| domain}`.",
        Key::MinMagnitude => "The smallest power of the base.",
        Key::MaxMagnitude => "The largest power of the base; required.",
        Key::Base => "The base.",
        Key::Min => "The upper bound of the first range.",
        Key::Max => "The upper bound of the last range; required.",
        Key::Step => "The size of a range; required.",
        Key::Shown => "The number of values that are shown.",
        Key::Counters => "The number of values that are counted.",
        Key::Weight => "The field that is summed instead of the events.",
        Key::Transport => "The target; `log` if it is empty.",
        Key::TransportArguments | Key::Url => "The URL of `http-post` and `otlp`.",
        Key::TransportTimeout | Key::HttpTimeout => "The time for a request.",
        Key::Format => "The format of events; required.",
        Key::FormatArguments | Key::TimeFormat => "The format of times.",
        Key::FilePath => "The file; required by `file`.",
        Key::UnixPath => "The socket; required by `unix`.",
        Key::UnixTimeout => "The time for connecting.",
        Key::Declare => "The series that exist before their first event.",
        Key::Expose => "Whether scrapes have the metric.",
        Key::SeriesLimit => "The maximum number of series of this metric.",
        Key::SeriesPerMetric => "The maximum number of series of each metric.",
        Key::SeriesTotal => "The maximum number of series of all metrics.",
        Key::IdleSeries => "The time after which a series without events is dropped; 0: never.",
        Key::Exemplars => "The field whose values are exemplars.",
        Key::Extension(extension) => extension.meaning().trim(),
    }
}

/// The default of a setting; empty without one.
fn default(key: Key, extensions: &BTreeMap<&str, String>) -> String {
    match key {
        Key::Include => Parts::WORDS.join(" "),
        Key::Field | Key::MethodName => "its block's name".into(),
        Key::Method => "discrete".into(),
        Key::MinMagnitude | Key::Min | Key::IdleSeries => "0".into(),
        Key::Base => "10".into(),
        Key::Shown => Top::SHOWN.to_string(),
        Key::Counters => Top::COUNTERS.to_string(),
        Key::HttpTimeout | Key::UnixTimeout => "250 ms".into(),
        Key::Expose => "yes".into(),
        Key::SeriesLimit => "series_per_metric".into(),
        Key::SeriesPerMetric => Limits::default().series_per_metric.to_string(),
        Key::SeriesTotal => Limits::default().series.to_string(),
        Key::Extension(extension) => default_of(extension, extensions),
        _ => String::new(),
    }
}

/// Whether only fantail has a setting.
fn is_extension(kind: Kind, key: Key) -> bool {
    let keys = [
        Key::Declare,
        Key::Expose,
        Key::SeriesLimit,
        Key::Shown,
        Key::Counters,
        Key::Weight,
    ];
    kind == Kind::Registry || keys.contains(&key) || matches!(key, Key::Extension(_))
}

/// The name of a setting of 2.4 within its block.
fn short(kind: Kind, name: &'static str) -> &'static str {
    let short = name.strip_prefix(kind.name());
    short
        .and_then(|rest| rest.strip_prefix('_'))
        .unwrap_or(name)
}

fn table(kind: Kind, defaults: &BTreeMap<&str, String>, page: &mut String) {
    page.push_str("\n| 2.3 | 2.4 | default | meaning |\n| --- | --- | --- | --- |\n");
    let (old, new) = (kind.rows(Dialect::V2_3), kind.rows(Dialect::V2_4));
    let is_new_only = matches!(kind, Kind::GroupBy | Kind::Method);
    let name_of = |name: &str, key| {
        let mark = if is_extension(kind, key) { "*" } else { "" };
        format!("{mark}`{name}`{mark}")
    };
    for row in new {
        let before = old
            .iter()
            .find(|one| one.key.in_2_4() == row.key && !is_new_only);
        let (meaning, default) = (meaning(row.key), default(row.key, defaults));
        let default = if default.is_empty() {
            default
        } else {
            format!("`{default}`")
        };
        let _ = writeln!(
            page,
            "| {} | {} | {default} | {meaning} |",
            before.map_or_else(|| "–".into(), |one| name_of(one.name, row.key)),
            name_of(short(kind, row.name), row.key),
        );
    }
    for row in old.iter().filter(|_| !is_new_only) {
        assert!(
            new.iter().any(|one| one.key == row.key.in_2_4()),
            "{}",
            row.name
        );
    }
}

fn default_of(extension: Extension, defaults: &BTreeMap<&str, String>) -> String {
    let name = extension.name();
    let default = defaults.get(name).cloned();
    assert!(default.is_some() || NEEDED.contains(&name), "{name}");
    default.unwrap_or_default()
}

#[test]
fn the_page_lists_every_setting() {
    let defaults = extension_defaults();
    let mut page = String::from(HEAD);
    for (heading, kind) in [
        ("In a `metric` block", Kind::Metric),
        ("In a block `group_by` of 2.4", Kind::GroupBy),
        ("In a block `method` of 2.4", Kind::Method),
        ("In an `event_exporter` block", Kind::Exporter),
        ("In the block `fantail`", Kind::Registry),
    ] {
        let _ = write!(page, "\n## {heading}\n");
        table(kind, &defaults, &mut page);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join("docs/reference/all-settings.md");
    if env::var_os("UPDATE_EXPECT").is_some() {
        File::create(path)
            .unwrap()
            .write_all(page.as_bytes())
            .unwrap();
    } else {
        let mut shown = String::new();
        File::open(path)
            .unwrap()
            .read_to_string(&mut shown)
            .unwrap();
        assert_eq!(shown, page);
    }
}
