//! `fantail tap`: shows live and recent events of a running server.

mod moment;
mod terms;

use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use clap::{Args, ValueEnum};
use fantail::wire::reader::{Reply, Request, TapLine, TapParts, TermCounts};

use crate::{
    command::stats::{Socket, client::Client},
    exit::{Failure, Findings, say},
    flag,
    io::findings,
    io::interrupt::Interrupt,
    io::output::Output,
};

/// Show live or recent events of a running `fantail serve`.
///
/// Use a tap instead of logging event=*: a tap shows a limited number of events
/// per second, skips the others, writes nothing to disk, and ends after a time.
/// While a tap is open, Dovecot's processes also send the events that it matches.
/// With --since, a tap starts with recent events that the server stores: those
/// that Dovecot's processes sent for metrics and taps.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail tap
  fantail tap 'event=imap_command_finished AND user=anna' --events 1
  fantail tap user=anna --since 10:05 --until 10:06
  fantail tap user=anna --since 5m
  fantail tap --count 'event=auth_request_finished' --for 60s
  fantail tap --explain 'event=imap_command_finished AND user=ana' --for 60s
  fantail tap 'category=auth' --format json --for 60s | jq .event

Exit status: 0 the tap ended; 1 the filter has an error, or no fantail answers;
2 wrong usage.")]
pub(crate) struct Arguments {
    /// Filter of the events to show.
    #[arg(value_name = "FILTER", default_value = "event=*")]
    filter: String,
    /// Output format.
    #[arg(long, value_enum, default_value = "logfmt", value_name = "FORMAT")]
    format: Format,
    /// Start with stored events of this time: 10:05, 5m (ago), or a date and time.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// End with the stored events of this time.
    #[arg(long, value_name = "TIME", requires = "since")]
    until: Option<String>,
    /// End with the last stored event.
    #[arg(long, requires = "since")]
    no_follow: bool,
    /// End after this number of live events.
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..))]
    events: u32,
    /// End after this time, at most one hour: 30s, 5min.
    #[arg(long = "for", alias = "seconds", value_name = "TIME", default_value = "10s", value_parser = lasting)]
    lasting: Duration,
    /// Maximum number of live events per second; others are skipped.
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
    /// Print only the number of events.
    #[arg(long, conflicts_with_all = ["format", "rate"])]
    count: bool,
    /// Print only the number of events that meet each term of the filter, at the end
    /// or at Ctrl-C. The tap counts only events that Dovecot's processes send.
    #[arg(long, conflicts_with_all = ["format", "rate", "count", "events"])]
    explain: bool,
    /// Also request the events of this filter from Dovecot's processes while
    /// --explain counts.
    #[arg(long, value_name = "FILTER", requires = "explain")]
    ask_for: Option<String>,
    #[command(flatten)]
    socket: Socket,
}

/// Parses the duration of a tap.
fn lasting(text: &str) -> Result<Duration, flag::FlagError> {
    const EXPECTED: flag::FlagError = flag::FlagError::expected("a time from 1s to 1h");
    let lasting = flag::interval(text)?;
    let allowed = Duration::from_secs(1)..=Duration::from_secs(3600);
    allowed
        .contains(&lasting)
        .then_some(lasting)
        .ok_or(EXPECTED)
}

/// The line-based export formats.
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
    let parts = parts(arguments)?;
    let socket = arguments.socket.path();
    let mut client = Client::connect(&socket)?;
    client.send_request(&Request::Tap(parts.clone()))?;
    // Dovecot's own stats process ignores this request.
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
    if arguments.explain {
        say(format_args!(
            "counting what Dovecot's processes send: the events of metrics and of this filter; \
             --ask-for FILTER asks for more"
        ));
    }
    if arguments.since.is_none() {
        say_waiting(arguments);
    }
    // A short time limit, to notice Ctrl-C.
    client.wait_at_most(INTERRUPT_CHECK)?;
    Receiver::new(arguments)?.receive(&mut client, &interrupt)
}

/// Returns the request for the server.
fn parts(arguments: &Arguments) -> Result<TapParts<'_>, Failure> {
    let now = jiff::Zoned::now();
    let read = |flag: &str, text: &Option<String>| {
        let text = text.as_deref();
        let moment = text.map(|text| moment::parse(text, &now)).transpose();
        let moment = moment.map_err(|error| Failure::new(format!("{flag}: {error}")))?;
        Ok::<_, Failure>(moment.map(jiff::Timestamp::as_microsecond))
    };
    let (since, until) = (
        read("--since", &arguments.since)?,
        read("--until", &arguments.until)?,
    );
    if since.zip(until).is_some_and(|(since, until)| until < since) {
        return Err(Failure::new("--until is before --since"));
    }
    let seconds = u32::try_from(arguments.lasting.as_secs()).unwrap_or(u32::MAX);
    let shows_all = arguments.count || arguments.explain;
    let ask_for = arguments.ask_for.as_deref().unwrap_or_default();
    Ok(TapParts {
        filter: arguments.filter.as_bytes().into(),
        format: arguments.format.name().as_bytes().into(),
        events: if shows_all {
            u32::MAX
        } else {
            arguments.events
        },
        seconds: if is_live(arguments) { seconds } else { 0 },
        rate: if shows_all { 1 } else { arguments.rate },
        since,
        until,
        explain: arguments.explain,
        ask_for: ask_for.as_bytes().into(),
    })
}

/// Returns whether the tap shows live events.
fn is_live(arguments: &Arguments) -> bool {
    !arguments.no_follow && arguments.until.is_none()
}

fn say_waiting(arguments: &Arguments) {
    if io::stderr().is_terminal() {
        let seconds = arguments.lasting.as_secs();
        say(format_args!(
            "waiting for events, {seconds} s at most; Ctrl-C ends it"
        ));
    }
}

/// The state of a tap: its output and what it has counted.
struct Receiver<'a> {
    arguments: &'a Arguments,
    output: Output,
    shown: u64,
    seen: u64,
    terms: Vec<TermCounts<'static>>,
}

impl<'a> Receiver<'a> {
    fn new(arguments: &'a Arguments) -> Result<Self, Failure> {
        Ok(Self {
            arguments,
            output: Output::open("-".as_ref())?,
            shown: 0,
            seen: 0,
            terms: Vec::new(),
        })
    }

    /// Shows or counts events until the server ends the tap, or Ctrl-C is pressed.
    fn receive(mut self, client: &mut Client, interrupt: &Interrupt) -> Result<Findings, Failure> {
        let patience = self.arguments.lasting + END_GRACE;
        let (mut skipped, mut has_asked) = (None, false);
        let mut heard = Instant::now();
        while skipped.is_none() {
            if interrupt.is_raised() {
                if !self.arguments.explain {
                    break;
                }
                if !has_asked {
                    client.ask_for_end()?;
                    has_asked = true;
                }
            }
            let Some(line) = client.next_line()? else {
                if heard.elapsed() > patience {
                    return Err(Failure::new("the server does not end the tap"));
                }
                continue;
            };
            heard = Instant::now();
            skipped = self.take(line)?;
        }
        self.finish(skipped)
    }

    /// Processes a line; returns the number of skipped events from the last line.
    fn take(&mut self, line: &[u8]) -> Result<Option<u64>, Failure> {
        match TapLine::parse(line) {
            Some(TapLine::Event(event)) => {
                if !self.arguments.count {
                    self.output.write_line(event)?;
                }
                self.shown += 1;
            }
            Some(TapLine::Past { begins, left_out }) => say_past(self.arguments, begins, left_out),
            Some(TapLine::Live) => say_waiting(self.arguments),
            Some(TapLine::Seen { events }) => self.seen = events,
            Some(TapLine::Term(term)) => self.terms.push(TermCounts {
                text: term.text.into_owned().into(),
                saw: term.saw.into_owned().into(),
                ..term
            }),
            Some(TapLine::End { skipped }) => return Ok(Some(skipped)),
            Some(_) | None => return Err(Failure::new("the server sent a line that is no event")),
        }
        Ok(None)
    }

    /// Writes the counts, or reports how many events were shown.
    fn finish(mut self, skipped: Option<u64>) -> Result<Findings, Failure> {
        if self.arguments.explain {
            let table = terms::table(self.seen, &self.terms);
            self.output.write_line(table.trim_end().as_bytes())?;
            return Ok(Findings::None);
        }
        if self.arguments.count {
            let all = self.shown + skipped.unwrap_or_default();
            self.output.write_line(all.to_string().as_bytes())?;
            return Ok(Findings::None);
        }
        let more = match skipped {
            None => ", until it was interrupted".to_owned(),
            Some(0) => String::new(),
            Some(skipped) => format!(", {skipped} more were passed over"),
        };
        say(format_args!("{} events shown{more}", self.shown));
        Ok(Findings::None)
    }
}

/// Reports which events the server stores.
fn say_past(arguments: &Arguments, begins: i64, left_out: u64) {
    let begins = moment::show(begins);
    say(format_args!(
        "events are kept since {begins}: those that Dovecot's processes sent for metrics and taps"
    ));
    if left_out > 0 {
        say(format_args!("{left_out} events were too large to be kept"));
    }
    if arguments.filter.contains("fantail_session_finished") {
        say(format_args!(
            "ends of sessions (fantail_session_finished) are not kept"
        ));
    }
}

/// The time to wait for the server's next line after the tap's time is over.
const END_GRACE: Duration = Duration::from_secs(30);

/// The interval of checks for Ctrl-C.
const INTERRUPT_CHECK: Duration = Duration::from_millis(200);
