//! `fantail filter match`: prints the matching events of a capture.

use std::{
    io::Write,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use fantail::{
    event::Dialect as EventDialect,
    event::EffectiveBuffers,
    format::{ExportContext, Format, Formatter, FormatterSettings, Parts},
};

use super::parse;
use crate::{
    dialect::{self, Dialect},
    exit::{Failure, Findings},
    io::capture::{Player, Recording},
    io::findings,
    io::output::Output,
};

/// Print the events of a capture that match a filter.
///
/// The filter is not part of a metric: it also matches events without a name, unless
/// the filter requires a name.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail filter match 'event=imap_command_finished AND cmd_name=SELECT' capture.tsv
  fantail filter match --count 'category=auth' capture.tsv

Exit status: 0 all went well, also where nothing matches; 1 the filter has an
error, or a line of the capture could not be read; 2 wrong usage.")]
pub(crate) struct Arguments {
    /// Filter to match.
    #[arg(value_name = "EXPR")]
    filter: String,
    /// Capture to read; - is standard input.
    #[arg(value_name = "CAPTURE", default_value = "-")]
    capture: PathBuf,
    /// Print only the number of matching events.
    #[arg(long)]
    count: bool,
    /// Print each event with its number, for `filter explain --event`.
    #[arg(long, short, conflicts_with = "count")]
    number: bool,
    /// Output format of events.
    #[arg(long, value_enum, default_value = "tab-text")]
    format: EventFormat,
    /// Dovecot series whose rules apply.
    #[arg(long, value_enum)]
    dialect: Option<Dialect>,
}

/// A format as an argument.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum EventFormat {
    /// key:value arguments, separated by TABs.
    TabText,
    /// One object per line.
    Json,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let mut recording = Recording::open(&arguments.capture)?;
    let dialect = dialect::of_capture(arguments.dialect, &arguments.filter, &recording);
    let Some(filter) = parse::parse_or_say(arguments.filter.as_bytes(), dialect) else {
        return Ok(Findings::Some);
    };
    parse::say_warnings(arguments.filter.as_bytes(), &filter);
    findings::say_of_filter(&arguments.filter, dialect);
    let formatter = formatter(arguments.format, dialect);
    let mut output = Output::open(Path::new("-"))?;
    let (mut matched, mut number, mut line, mut written) = (0_u64, 0_u64, Vec::new(), Ok(()));
    let mut buffers = EffectiveBuffers::new();
    let mut player = Player::new(dialect);
    let played = player.play_events(&mut recording, |sent, received_at| {
        number += 1;
        if !filter.matches(sent) {
            return ControlFlow::Continue(());
        }
        matched += 1;
        if arguments.count {
            return ControlFlow::Continue(());
        }
        line.clear();
        if arguments.number {
            line.extend_from_slice(format!("{number}\t").as_bytes());
        }
        let context = ExportContext {
            host: b"",
            received_at,
        };
        formatter.write(&buffers.gather(sent), context, &mut line);
        line.push(b'\n');
        written = output.write_all(&line);
        if written.is_ok() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    played?;
    written.map_err(|error| Failure::file("write to", Path::new("-"), &error))?;
    if matched == 0 {
        findings::say_why_none(&arguments.filter, dialect, &mut recording)?;
    }
    let last = if arguments.count {
        format!("{matched}\n")
    } else {
        String::new()
    };
    output.write_whole(last.as_bytes())?;
    Ok(player.finish())
}

fn formatter(format: EventFormat, dialect: EventDialect) -> Formatter {
    let format = match format {
        EventFormat::TabText => Format::TabText,
        EventFormat::Json => Format::Json,
    };
    Formatter::new(FormatterSettings {
        parts: Parts {
            hostname: false,
            ..Parts::ALL
        },
        ..FormatterSettings::new(format, dialect)
    })
}
