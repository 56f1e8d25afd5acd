//! `fantail filter explain`: explains the result of a filter for events.

mod json;
pub(crate) mod tree;

use std::{
    io::Write,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use clap::Args;

use super::parse;
use crate::{
    dialect::{self, Dialect},
    exit::{Failure, Findings},
    flag::Form,
    io::capture::{Player, Recording},
    io::findings,
    io::output::Output,
    io::paint::Paint,
    io::terminal,
};

/// Explain why a filter matches an event, or does not.
///
/// The command prints the parts of the filter as a tree. Each part has its result,
/// the value that the event has, the origin of the value, and the reason.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  fantail filter explain 'event=imap_command_finished AND bytes_out>1k' capture.tsv --event 12

Events are numbered from 1 in the order in which they were sent, including
events without a name. Without --event, the command explains all events. With
--format json, it prints one object per event and line: the nodes are in the
order of the tree, each with its depth, and invalid UTF-8 is replaced.

Exit status: 0 success, even if no event matches; 1 the filter has an error, the
capture has invalid lines, or the event does not exist; 2 wrong usage.")]
pub(crate) struct Arguments {
    /// Filter to explain.
    #[arg(value_name = "EXPR")]
    filter: String,
    /// Capture to read; - is standard input.
    #[arg(value_name = "CAPTURE", default_value = "-")]
    capture: PathBuf,
    /// Explain only this event; the first is 1.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    event: Option<u64>,
    /// Output format; json is one object per line.
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
    #[arg(long, hide = true)]
    json: bool,
    /// Dovecot series whose rules apply.
    #[arg(long, value_enum)]
    dialect: Option<Dialect>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let mut recording = Recording::open(&arguments.capture)?;
    let dialect = dialect::of_capture(arguments.dialect, &arguments.filter, &recording);
    let text = arguments.filter.as_bytes();
    let Some(filter) = parse::parse_or_say(text, dialect) else {
        return Ok(Findings::Some);
    };
    parse::say_warnings(text, &filter);
    findings::say_of_filter(&arguments.filter, dialect);
    let mut output = Output::open(Path::new("-"))?;
    let paint = Paint::new(terminal::output_style());
    let (mut number, mut found, mut written) = (0_u64, false, Ok(()));
    let mut player = Player::new(dialect);
    let played = player.play_events(&mut recording, |sent, _| {
        number += 1;
        if arguments.event.is_some_and(|wanted| wanted != number) {
            return ControlFlow::Continue(());
        }
        found = true;
        let explanation = filter.explain(sent);
        written = if arguments.format.of(arguments.json) == Form::Json {
            json::write(&mut output, number, sent, &explanation)
        } else {
            tree::write(&mut output, number, sent, &explanation, paint)
        };
        if written.is_err() || arguments.event.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    played?;
    written
        .and_then(|()| output.flush())
        .map_err(|error| Failure::file("write to", Path::new("-"), &error))?;
    match arguments.event {
        Some(wanted) if !found => Err(Failure::new(format!(
            "there is no event {wanted}: {} has {number}",
            arguments.capture.display()
        ))),
        _ => Ok(player.finish()),
    }
}
