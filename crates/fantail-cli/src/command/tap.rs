//! `fantail tap`: events of a running server as they pass.

use std::time::Duration;

use clap::{Args, ValueEnum};
use fantail::wire::reader::{Reply, Request, TapLine, TapParts};

use crate::{
    command::stats::{Socket, client::Client},
    exit::{Failure, Findings, say},
    io::output::Output,
};

/// Show events of a running `fantail serve` as they pass.
///
/// Instead of event=* into the log: it shows so many events a second, passes
/// over the others, writes nothing to disk, and ends by itself. While it
/// lasts, Dovecot's processes send the events that it asks for, too.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail tap
  fantail tap 'event=imap_command_finished AND user=anna' --events 1
  fantail tap 'category=auth' --format json --seconds 60 | jq .event

Exit status: 0 it ended; 1 the filter is wrong, or no fantail answers; 2 wrong
usage.")]
pub(crate) struct Arguments {
    /// Which events to show.
    #[arg(value_name = "FILTER", default_value = "event=*")]
    filter: String,
    /// How they are written.
    #[arg(long, value_enum, default_value = "logfmt", value_name = "FORMAT")]
    format: Format,
    /// End after so many events.
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..))]
    events: u32,
    /// End after so many seconds, an hour at most.
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Events to show in a second at most; others are passed over.
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
    #[command(flatten)]
    socket: Socket,
}

/// The formats that are lines.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Logfmt,
    Json,
    Ndjson,
    TabText,
}

impl Format {
    const fn name(self) -> &'static str {
        match self {
            Self::Logfmt => "logfmt",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::TabText => "tab-text",
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let mut client = Client::connect(&arguments.socket.socket)?;
    client.send_request(&Request::Tap(TapParts {
        filter: arguments.filter.as_bytes().into(),
        format: arguments.format.name().as_bytes().into(),
        events: arguments.events,
        seconds: arguments.seconds,
        rate: arguments.rate,
    }))?;
    // Dovecot's own stats process does not answer this.
    client.wait_at_most(Duration::from_secs(5))?;
    match client.reply()? {
        Reply::Done => {}
        Reply::Refused(why) => {
            return Err(Failure::new(String::from_utf8_lossy(&why).into_owned()));
        }
    }
    client.wait_at_most(Duration::from_secs(u64::from(arguments.seconds) + 30))?;
    let mut output = Output::open("-".as_ref())?;
    let mut shown = 0_u64;
    loop {
        match TapLine::parse(client.read_line()?) {
            Some(TapLine::Event(event)) => {
                output.write_line(event)?;
                shown += 1;
            }
            Some(TapLine::End { skipped }) => {
                let more = if skipped == 0 {
                    String::new()
                } else {
                    format!(", {skipped} more were passed over")
                };
                say(format_args!("{shown} events shown{more}"));
                return Ok(Findings::None);
            }
            None => return Err(Failure::new("a strange answer")),
        }
    }
}
