//! Lines straight into slots: the same answers as by way of events as values.
//!
//! The input's first byte is `3` for a 2.3 client, any other for one of 2.4.
//! The rest is lines: one that begins with `F` is the filter of a metric, all
//! others are what the client sends after its handshake. A line that is
//! refused ends its connection, and the next line begins another one.

use fantail_config::{Options, Settings, load_text};
use fantail_engine::{Engine, ExporterId};
use fantail_event::{CategoryTree, Dialect, Gather, RawSending, Scan, Timestamp, text};
use fantail_format::{FieldRules, Format, Formatter, FormatterSettings, Moment, Parts, TimeStyle};
use fantail_metrics::dump;
use fantail_wire::{Connection, Limits};

const HANDSHAKE: &[u8] = b"VERSION\tstats-client\t4\t0";
const MOMENT: Moment<'_> = Moment {
    hostname: b"host",
    now: Timestamp::from_unix_micros(1_795_328_191_000_000),
};
/// More metrics would only take time.
const METRICS: usize = 32;

/// Reading into slots = reading into values: what is refused and why, what is
/// sent, exported and counted.
///
/// # Panics
/// This does not hold.
pub fn fast_path(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let dialect = match first {
        b'3' => Dialect::V2_3,
        _ => Dialect::V2_4,
    };
    let lines = || rest.split(|&byte| byte == b'\n');
    let filters = lines().filter_map(|line| line.strip_prefix(b"F"));
    let settings = settings(filters.take(METRICS), dialect);
    let lines: Vec<&[u8]> = lines().filter(|line| !line.starts_with(b"F")).collect();
    for line in &lines {
        scanning_is_parsing(line, dialect);
    }
    assert_eq!(
        play(&settings, &lines, true),
        play(&settings, &lines, false)
    );
}

/// Metrics with these filters, of all kinds; wrong filters are left out.
fn settings<'a>(filters: impl Iterator<Item = &'a [u8]>, dialect: Dialect) -> Settings {
    let (transport, time) = match dialect {
        Dialect::V2_3 => ("transport = drop", "format_args = time-unix"),
        Dialect::V2_4 => ("driver = drop", "time_format = unix"),
    };
    let level = |key: &str| match dialect {
        Dialect::V2_3 => format!("group_by = {key}"),
        Dialect::V2_4 => format!("group_by {key} {{\n }}"),
    };
    let mut text = Vec::new();
    for format in ["json", "tab-text"] {
        let exporter =
            format!("event_exporter {format} {{\n {transport}\n format = {format}\n {time}\n}}\n");
        text.extend_from_slice(exporter.as_bytes());
    }
    for (at, filter) in filters.enumerate() {
        let exporter = ["json", "tab-text"][at % 2];
        let kind = match at % 4 {
            0 => format!("exporter = {exporter}"),
            1 => level("k"),
            2 => format!("fields = k n duration\n exporter = {exporter}"),
            _ => level("duration"),
        };
        text.extend_from_slice(format!("metric m{at} {{\n {kind}\n filter = ").as_bytes());
        text.extend_from_slice(filter);
        text.extend_from_slice(b"\n}\n");
    }
    let options = Options {
        dialect: Some(dialect),
        ..Options::default()
    };
    load_text("fuzz.conf", text, &options).settings
}

fn scanning_is_parsing(line: &[u8], dialect: Dialect) {
    let mut tree = CategoryTree::default();
    assert_eq!(tree.register(b"mail", None), Ok(()));
    let mut scan = Scan::new();
    let scanned = scan
        .read(line, &tree, dialect)
        .map(|raw| raw.to_event(&tree));
    let arguments = line.split(|&byte| byte == b'\t');
    assert_eq!(scanned, text::parse(arguments, &tree, dialect));
}

type Exports = Vec<(ExporterId, Vec<u8>)>;

/// What came of the lines.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    exports: Exports,
    refused: Vec<String>,
    dump: String,
}

fn play(settings: &Settings, lines: &[&[u8]], is_raw: bool) -> Outcome {
    let mut engine = Engine::new(settings).expect("settings that were read");
    let (mut categories, mut scan) = (CategoryTree::default(), Scan::new());
    let (mut exports, mut refused) = (Exports::new(), Vec::new());
    let new = |categories: &mut CategoryTree| {
        let mut connection = Connection::new(settings.dialect, Limits::default());
        assert_eq!(connection.handle(HANDSHAKE, categories, |_| {}), Ok(()));
        connection
    };
    let mut connection = new(&mut categories);
    for line in lines {
        let mut sink = |id, payload: &[u8]| exports.push((id, payload.to_vec()));
        let handled = if is_raw {
            connection.handle_raw(line, &mut categories, &mut scan, |sending| {
                written_alike(sending, settings.dialect);
                engine.handle_raw(sending, MOMENT, &mut sink);
            })
        } else {
            connection.handle(line, &mut categories, |sent| {
                engine.handle(sent, MOMENT, &mut sink);
            })
        };
        if let Err(error) = handled {
            refused.push(error.to_string());
            connection = new(&mut categories);
        }
    }
    let mut table = Vec::new();
    dump::write_table(&engine.snapshot(), &dump::default_columns(), &mut table);
    Outcome {
        exports,
        refused,
        dump: String::from_utf8_lossy(&table).into_owned(),
    }
}

/// In tab-text, which neither replaces nor leaves out anything.
fn written_alike(sending: &RawSending<'_>, dialect: Dialect) {
    let formatter = Formatter::new(FormatterSettings {
        format: Format::TabText,
        time_style: TimeStyle::Unix,
        parts: Parts::ALL,
        fields: Vec::new(),
        rules: FieldRules::default(),
        event_id: false,
        cut_long_strings: false,
        dialect,
    });
    let (mut raw, mut plain) = (Vec::new(), Vec::new());
    let mut gather = Gather::new();
    formatter.write_view(&gather.gather(sending), MOMENT, &mut raw);
    sending.with_sent(|sent| formatter.write(sent, MOMENT, &mut plain));
    assert_eq!(
        raw.escape_ascii().to_string(),
        plain.escape_ascii().to_string()
    );
}
