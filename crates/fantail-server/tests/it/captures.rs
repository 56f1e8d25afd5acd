//! Recorded traffic over the socket gives the dump that a replay gives.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    net::Shutdown,
    path::PathBuf,
    thread,
};

use fantail_config::{LoadOptions, Settings, load_text};
use fantail_engine::{Engine, Exported};
use fantail_event::Timestamp;
use fantail_exposition::dump::{Column, write_answer};
use fantail_format::ExportContext;
use fantail_wire::{
    Connection, Intake, Limits,
    capture::{Capture, RecordedConnection},
};

use crate::fixture::{Fixture, Writer};

/// All that a dump has; the sums of squares are added up in another order by
/// several workers.
const EXACT: &str = "count\tsum\tmin\tmax\tavg\tmedian\t%95";

/// A recording and a configuration for it.
pub(crate) struct Recording {
    pub(crate) bytes: Vec<u8>,
    pub(crate) configuration: String,
}

impl Recording {
    pub(crate) fn new(version: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/captures");
        let read = |name: String| {
            let mut bytes = Vec::new();
            let mut file = File::open(folder.join(name)).unwrap();
            file.read_to_end(&mut bytes).unwrap();
            bytes
        };
        let configuration = read(format!("{version}-wide/dovecot.conf"));
        let configuration = String::from_utf8(configuration).unwrap();
        // Exports have tests of their own.
        let lines = configuration
            .lines()
            .filter(|line| !line.trim().starts_with("exporter"));
        let head = match version {
            "2.4.1" => "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n",
            _ => "",
        };
        Self {
            bytes: read(format!("dovecot-{version}.tsv")),
            configuration: std::iter::once(head.to_owned())
                .chain(lines.map(|line| format!("{line}\n")))
                .collect(),
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        let loaded = load_text(
            "dovecot.conf",
            self.configuration.as_str(),
            &LoadOptions::default(),
        );
        loaded.accept().unwrap().settings
    }

    /// The dump of an engine that gets these connections one by one.
    fn replayed(&self, connections: &[&RecordedConnection<'_>]) -> String {
        let settings = self.settings();
        let mut engine = Engine::new(&settings).unwrap();
        let mut intake = Intake::new();
        let context = ExportContext {
            host: b"",
            received_at: Timestamp::default(),
        };
        let mut sink = |_: Exported<'_>| {};
        for recorded in connections {
            let mut connection = Connection::new(settings.dialect, Limits::default());
            for line in &recorded.lines {
                let handled = connection.handle(line.line, &mut intake, |activity| {
                    engine.step(&activity, context, &mut sink);
                });
                handled.unwrap();
            }
            connection.close(&mut intake, |activity| {
                engine.step(&activity, context, &mut sink);
            });
        }
        let columns: Vec<Column> = EXACT
            .split('\t')
            .map(|name| Column::parse(name.as_bytes()))
            .collect();
        let mut answer = Vec::new();
        write_answer(&engine.snapshot(), &columns, &mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let mut lines: Vec<&str> = answer.lines().filter(|line| !line.is_empty()).collect();
        lines.sort_unstable();
        lines.join("\n")
    }
}

fn text(recorded: &RecordedConnection<'_>) -> Vec<u8> {
    let lines = recorded.lines.iter();
    lines.flat_map(|line| [line.line, b"\n"].concat()).collect()
}

/// Plays connections, `at_once` of them open at the same time and sending in
/// turn pieces of this size.
pub(crate) fn play(
    fixture: &Fixture,
    connections: &[&RecordedConnection<'_>],
    at_once: usize,
    piece: usize,
) {
    for some in connections.chunks(at_once) {
        let texts: Vec<Vec<u8>> = some.iter().map(|recorded| text(recorded)).collect();
        let mut writers: Vec<Writer> = some.iter().map(|_| fixture.writer()).collect();
        let longest = texts.iter().map(Vec::len).max().unwrap_or(0);
        for start in (0..longest).step_by(piece) {
            for (writer, text) in writers.iter_mut().zip(&texts) {
                let end = text.len().min(start + piece);
                if let Some(piece) = text.get(start..end) {
                    writer.stream.get_mut().write_all(piece).unwrap();
                }
            }
        }
        for writer in &writers {
            writer.stream.get_ref().shutdown(Shutdown::Write).unwrap();
        }
        writers.into_iter().for_each(Writer::finish);
    }
}

#[track_caller]
fn check(version: &str, at_once: usize, piece: usize) {
    let recording = Recording::new(version);
    let capture = Capture::parse(&recording.bytes);
    let connections: Vec<_> = capture.connections.iter().collect();
    let fixture = Fixture::new(&recording.configuration);
    play(&fixture, &connections, at_once, piece);
    assert_eq!(fixture.dump(EXACT), recording.replayed(&connections));
    assert_eq!(fixture.logged(), "");
}

#[test]
fn one_connection_after_the_other() {
    check("2.3.19", 1, usize::MAX >> 1);
    check("2.4.1", 1, usize::MAX >> 1);
}

#[test]
fn a_hundred_connections_at_once() {
    check("2.3.19", 100, 4_000);
    check("2.4.1", 100, 4_000);
}

/// Lines that come in pieces: what became of the statistics of 2.4.1 when it
/// unhibernated an IMAP connection.
#[test]
fn lines_may_come_in_pieces() {
    check("2.3.19", 30, 97);
}

#[test]
fn five_thousand_connections_at_once() {
    let recording = Recording::new("2.3.19");
    let capture = Capture::parse(&recording.bytes);
    let mut short: Vec<_> = capture.connections.iter().collect();
    short.sort_by_key(|connection| connection.lines.len());
    short.truncate(40);
    let connections: Vec<_> = short.into_iter().cycle().take(5_000).collect();
    let fixture = Fixture::with(&recording.configuration, |options| options.workers = 4);
    thread::scope(|scope| {
        for some in connections.chunks(1_250) {
            let fixture = &fixture;
            scope.spawn(move || play(fixture, some, 1_250, 10_000));
        }
    });
    assert_eq!(fixture.dump(EXACT), recording.replayed(&connections));
}
