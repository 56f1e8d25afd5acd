//! `fantail tap`: events of a running server as they pass.

use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use clap::{Args, ValueEnum};
use fantail::wire::reader::{Reply, Request, TapLine, TapParts};

use crate::{
    command::stats::{Socket, client::Client},
    exit::{Failure, Findings, say},
    io::findings,
    io::interrupt::Interrupt,
    io::output::Output,
};

/// Show events of a running `fantail serve` as they pass.
///
/// Instead of event=* into the log: it shows a limited number of events a
/// second, passes over the others, writes nothing to disk, and ends after a
/// time. While it lasts, Dovecot's processes send the events that it asks for,
/// too.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail tap
  fantail tap 'event=imap_command_finished AND user=anna' --events 1
  fantail tap --count 'event=auth_request_finished' --seconds 60
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
    /// End after this number of events.
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..))]
    events: u32,
    /// End after this number of seconds, an hour at most.
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Events to show in a second at most; others are passed over.
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
    /// Show no events, but how many there are.
    #[arg(long, conflicts_with_all = ["format", "rate"])]
    count: bool,
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
    let interrupt = Interrupt::watch();
    let socket = arguments.socket.path();
    let mut client = Client::connect(&socket)?;
    client.send_request(&Request::Tap(TapParts {
        filter: arguments.filter.as_bytes().into(),
        format: arguments.format.name().as_bytes().into(),
        events: if arguments.count {
            u32::MAX
        } else {
            arguments.events
        },
        seconds: arguments.seconds,
        rate: if arguments.count { 1 } else { arguments.rate },
    }))?;
    // Dovecot's own stats process does not answer this request.
    client.wait_at_most(Duration::from_secs(5))?;
    let Some(line) = client.next_line()? else {
        return Err(Failure::new(format!(
            "{} does not answer: only `fantail serve` shows events, Dovecot's own stats process \
             does not",
            socket.display()
        )));
    };
    match Reply::parse(line) {
        None => return Err(Failure::new("the answer is neither + nor -")),
        Some(Reply::Done) => {}
        Some(Reply::Refused(why)) => {
            return Err(Failure::refused(&why));
        }
    }
    if let Some(dialect) = arguments.socket.dialect() {
        findings::say_of_filter(&arguments.filter, dialect);
    }
    if io::stderr().is_terminal() {
        let seconds = arguments.seconds;
        say(format_args!(
            "waiting for events, {seconds} s at most; Ctrl-C ends it"
        ));
    }
    show(arguments, &mut client, &interrupt)
}

/// Shows or counts events until the server ends the tap, or Ctrl-C is pressed.
fn show(
    arguments: &Arguments,
    client: &mut Client,
    interrupt: &Interrupt,
) -> Result<Findings, Failure> {
    // Short enough to notice Ctrl-C.
    client.wait_at_most(INTERRUPT_CHECK)?;
    let patience = Duration::from_secs(u64::from(arguments.seconds)) + END_GRACE;
    let mut output = Output::open("-".as_ref())?;
    let (mut shown, mut skipped) = (0_u64, None);
    let started = Instant::now();
    while skipped.is_none() && !interrupt.is_raised() {
        let Some(line) = client.next_line()? else {
            if started.elapsed() > patience {
                return Err(Failure::new("the server does not end the tap"));
            }
            continue;
        };
        match TapLine::parse(line) {
            Some(TapLine::Event(event)) => {
                if !arguments.count {
                    output.write_line(event)?;
                }
                shown += 1;
            }
            Some(TapLine::End { skipped: more }) => skipped = Some(more),
            None => return Err(Failure::new("the server sent a line that is no event")),
        }
    }
    if arguments.count {
        let all = shown + skipped.unwrap_or_default();
        output.write_line(all.to_string().as_bytes())?;
        return Ok(Findings::None);
    }
    let more = match skipped {
        None => ", until it was interrupted".to_owned(),
        Some(0) => String::new(),
        Some(skipped) => format!(", {skipped} more were passed over"),
    };
    say(format_args!("{shown} events shown{more}"));
    Ok(Findings::None)
}

/// The time to wait for the end of the server's answer.
const END_GRACE: Duration = Duration::from_secs(30);

/// The interval of checks for Ctrl-C.
const INTERRUPT_CHECK: Duration = Duration::from_millis(200);
