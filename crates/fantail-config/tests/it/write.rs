//! Settings that are written read back the same.

use std::{ffi::OsStr, io::Read, os::unix::ffi::OsStrExt};

use fantail_config::{LoadOptions, Memory, Settings, internal::EXTENSIONS, load, write};
use fantail_event::Dialect;

/// Everything but the places.
fn gist(settings: &Settings) -> Vec<String> {
    let metrics = settings.metrics.iter().map(|metric| {
        let exporters = metric.exporters.iter().map(|exporter| &exporter.value);
        let exporters: Vec<_> = exporters.collect();
        let (include, filter) = (metric.include, metric.filter_text.bytes());
        format!(
            "{:?} {filter:?} {exporters:?} {include:?} {:?}",
            metric.settings, metric.rules
        )
    });
    let exporters = settings.exporters.iter().map(|one| {
        let (name, format, time) = (&one.name, one.format, one.time_style);
        let target = format!("{name:?} {format:?} {time:?} {:?}", one.transport);
        let (rules, file, throttle) = (&one.rules, &one.hash_key_file, one.throttle);
        let more = format!("{rules:?} {file:?} {throttle:?} {:?}", one.dead_letters);
        format!("{target} {:?} {:?} {more}", one.messages, one.queue)
    });
    let unix = settings.stats.unix_listeners.iter().map(|one| {
        let mode = one.mode.as_ref().map(|mode| mode.value);
        let user = [&one.user, &one.group].map(|name| name.as_ref().map(|name| &name.value));
        format!("{:?} {mode:?} {user:?}", one.path.value)
    });
    let inet = settings.stats.inet_listeners.iter().map(|one| {
        let port = one.port.as_ref().map(|port| port.value);
        let addresses: Vec<_> = one.addresses.iter().map(|one| &one.value).collect();
        format!("{:?} {port:?} {addresses:?} {}", one.name.value, one.ssl)
    });
    metrics.chain(exporters).chain(unix).chain(inet).collect()
}

#[track_caller]
fn check(settings: &Settings, name: &str) {
    let text = write(settings);
    let mut memory = Memory::new().with("again", text.clone());
    for exporter in &settings.exporters {
        if let Some(path) = &exporter.hash_key_file {
            let mut secret = Vec::new();
            let mut file = std::fs::File::open(OsStr::from_bytes(path)).unwrap();
            file.read_to_end(&mut secret).unwrap();
            memory = memory.with(path.clone(), secret);
        }
    }
    let again = load(b"again", &memory, &LoadOptions::default());
    let lines = again.diagnostics.to_lines(&again.sources);
    assert_eq!(lines, "", "{name}\n{}", String::from_utf8_lossy(&text));
    assert_eq!(gist(&again.settings), gist(settings), "{name}");
    assert_eq!(write(&again.settings), text, "{name}");
}

/// Every setting that only fantail knows is in the test data, and is written.
#[test]
fn every_extension_is_written() {
    for (folder, dialect) in [("2.3/fantail", Some(Dialect::V2_3)), ("2.4/fantail", None)] {
        let mut written = Vec::new();
        for path in crate::configurations(folder) {
            written.extend(write(&crate::load_file(&path, dialect).settings));
        }
        let written = String::from_utf8(written).unwrap();
        for name in EXTENSIONS {
            let line = format!("\n  {name} = ");
            assert!(written.contains(&line), "{folder}: {name}");
        }
    }
}

/// The table of settings in the documentation has all of them.
#[test]
fn every_extension_is_documented() {
    let path = crate::testdata("../../docs/exporters.md");
    let text = std::io::read_to_string(std::fs::File::open(path).unwrap()).unwrap();
    for name in EXTENSIONS {
        let row = format!("\n| `{name}` |");
        assert!(text.contains(&row), "{name}");
    }
}

#[test]
fn whole_folders() {
    for (folder, dialect) in [
        ("2.3/good", Some(Dialect::V2_3)),
        ("2.4/good", None),
        ("2.3/fantail", Some(Dialect::V2_3)),
        ("2.4/fantail", None),
        ("golden", Some(Dialect::V2_3)),
    ] {
        for path in crate::configurations(folder) {
            let name = path.display().to_string();
            if name.contains("2.4.1-wide") {
                let loaded = crate::load_file(&path, Some(Dialect::V2_4));
                check(&loaded.settings, &name);
                continue;
            }
            let loaded = crate::load_file(&path, dialect);
            check(&loaded.settings, &name);
        }
    }
}

/// Values that would mean something else without quotes.
#[test]
fn awkward_values() {
    for dialect in [Dialect::V2_3, Dialect::V2_4] {
        for value in [
            r#""\"user\"=a AND b=\"c\"""#,
            r#""user=\"a # b\"""#,
            r#""user=\"$x\"""#,
            r#""  user=a  ""#,
        ] {
            let text =
                format!("metric \"a b\" {{\n  filter = {value}\n  description = \"<x\\\\\"\n}}\n");
            let loaded = crate::read(dialect, text);
            assert_eq!(loaded.diagnostics.to_lines(&loaded.sources), "");
            check(&loaded.settings, value);
        }
    }
}
