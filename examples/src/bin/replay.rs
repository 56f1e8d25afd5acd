//! Plays recorded events of Dovecot through a configuration and prints the metrics.
//!
//! `replay CONFIG CAPTURE`

#![allow(clippy::print_stdout, reason = "a program for people")]
#![allow(clippy::disallowed_methods, reason = "it reads its files")]

use std::{env, error::Error, fs, io};

use fantail::{
    config::{LoadOptions, load_text},
    engine::{Engine, Exported},
    event::{Dialect, Timestamp},
    exposition::dump,
    format::ExportContext,
    wire::{Connection, Intake, Limits, capture::Capture},
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(config), Some(capture)) = (arguments.next(), arguments.next()) else {
        return Err("usage: replay CONFIG CAPTURE".into());
    };
    let dialect = Dialect::V2_3;
    let options = LoadOptions {
        dialect: Some(dialect),
        ..LoadOptions::default()
    };
    let settings = load_text(&config, fs::read(&config)?, &options)
        .accept()?
        .settings;
    let mut engine = Engine::new(&settings)?;

    let bytes = fs::read(&capture)?;
    let capture = Capture::parse(&bytes);
    let mut intake = Intake::new();
    let mut exported = 0_usize;
    for recorded in &capture.connections {
        let mut connection = Connection::new(dialect, Limits::default());
        let mut sink = |_: Exported<'_>| exported += 1;
        for line in &recorded.lines {
            let context = ExportContext {
                host: b"mail1",
                received_at: Timestamp::from_unix_micros(line.micros),
            };
            connection.handle(line.line, &mut intake, |activity| {
                engine.step(&activity, context, &mut sink);
            })?;
        }
        let context = ExportContext {
            host: b"mail1",
            received_at: Timestamp::from_unix_micros(recorded.closed.unwrap_or(0)),
        };
        connection.close(&mut intake, |activity| {
            engine.step(&activity, context, &mut sink);
        });
    }
    let mut table = Vec::new();
    dump::write_table(&engine.snapshot(), &dump::default_columns(), &mut table);
    io::Write::write_all(&mut io::stdout().lock(), &table)?;
    println!("{exported} events exported");
    Ok(())
}
