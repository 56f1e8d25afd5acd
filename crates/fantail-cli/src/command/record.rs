//! `fantail record`: controls recordings of a running server.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{self, Path, PathBuf},
    time::Duration,
};

use clap::{Args, Subcommand};
use fantail::wire::reader::{RecordParts, RecordStatus, Reply, Request};
use indicatif::HumanBytes;

use crate::{
    command::stats::{Socket, client::Client},
    exit::{Failure, Findings},
    flag,
    io::output::Output,
};

/// Record everything that Dovecot's processes send, for `fantail replay`.
///
/// The server creates the file with access for its own user only, and writes it
/// in a separate thread. A recording contains user names, addresses and all other
/// fields that clients send. Only root and the user of the server may record.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail record start /var/lib/fantail/noon.tsv
  fantail record start /var/lib/fantail/noon.tsv --for 5min --max-size 1G
  fantail record status
  fantail record stop
  fantail replay --config /etc/fantail/fantail.conf /var/lib/fantail/noon.tsv

Exit status: 0 success; 1 the server refused the request, or no fantail answers;
2 wrong usage.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    socket: Socket,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Start(Start),
    /// Stop the recording.
    Stop,
    /// Show the path, the size and the remaining time of the last recording.
    Status,
}

/// Start a recording.
#[derive(Debug, Args)]
struct Start {
    /// File to create; it must not exist.
    file: PathBuf,
    /// Duration of the recording, at most one day.
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = flag::interval)]
    lasting: Duration,
    /// Maximum size of the file.
    #[arg(long, value_name = "SIZE", default_value = "100M", value_parser = flag::size)]
    max_size: u64,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let socket = arguments.socket.path();
    let mut client = Client::connect(&socket)?;
    // Dovecot's own stats process ignores these requests.
    client.wait_at_most(ANSWER_TIMEOUT)?;
    match &arguments.command {
        Command::Start(start) => {
            let file = path::absolute(&start.file);
            let file = file.map_err(|error| Failure::file("find", &start.file, &error))?;
            let seconds = start.lasting.as_secs().max(1);
            let request = Request::StartRecording(RecordParts {
                path: file.as_os_str().as_bytes().into(),
                seconds: u32::try_from(seconds).unwrap_or(u32::MAX),
                bytes: start.max_size,
            });
            order(&mut client, &request, &socket)?;
        }
        Command::Stop => order(&mut client, &Request::StopRecording, &socket)?,
        Command::Status => {}
    }
    order(&mut client, &Request::RecordingStatus, &socket)?;
    let status = RecordStatus::parse(client.read_line()?);
    let status = status.ok_or_else(|| Failure::new("the server sent no status"))?;
    let text = describe(&status);
    Output::open(Path::new("-"))?.write_whole(text.as_bytes())?;
    Ok(Findings::None)
}

/// The time limit for an answer: the server spends at most ten seconds each on creating
/// and on writing a file.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

fn order(client: &mut Client, request: &Request<'_>, socket: &Path) -> Result<(), Failure> {
    client.send_request(request)?;
    let Some(line) = client.next_line()? else {
        return Err(Failure::new(format!(
            "{} does not answer: only `fantail serve` records, Dovecot's own stats process does \
             not",
            socket.display()
        )));
    };
    match Reply::parse(line) {
        Some(Reply::Done) => Ok(()),
        Some(Reply::Refused(why)) => Err(Failure::refused(&why)),
        None => Err(Failure::new("the answer is neither + nor -")),
    }
}

/// Describes the state of a recording.
fn describe(status: &RecordStatus<'_>) -> String {
    let path = Path::new(OsStr::from_bytes(&status.path)).display();
    let (bytes, limit) = (HumanBytes(status.bytes), HumanBytes(status.limit));
    if !status.ended.is_empty() {
        let why = String::from_utf8_lossy(&status.ended);
        return format!("{path} has {bytes}; the recording has ended: {why}\n");
    }
    match status.seconds_left {
        Some(left) => format!("recording to {path}: {bytes} of {limit}, {left} s left\n"),
        None => format!("recording to {path}: {bytes} of {limit}\n"),
    }
}
