//! `fantail doctor`: diagnoses an installation.

mod bundle;
mod gather;
mod json;
mod report;
mod watch;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use fantail::{config::Severity, lint};

use self::gather::{Gathered, Questions};
use crate::{
    command::check,
    exit::{Failure, Findings},
    flag::{self, Form},
    io::{configuration, output::Output, terminal},
};

/// Diagnose an installation: report problems and how to fix them.
///
/// The command checks the configuration, the sockets, the processes, and the
/// statistics of a running fantail or of Dovecot's stats process. It changes
/// nothing, sends no event, and waits at most a few seconds for each answer. The
/// report lists what this user may not read: run the command as root to read all.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail doctor
  fantail doctor --config /etc/dovecot/dovecot.conf --format json
  fantail doctor --watch 60s
  fantail doctor --bundle support.json

Exit status: 0 nothing is wrong (there may be hints); 1 there are errors or
warnings; 2 wrong usage.")]
pub(crate) struct Arguments {
    /// Configuration of fantail or Dovecot; default: the configuration of this machine.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
    /// Additional log file to search, such as that of the mail transport agent; may be
    /// repeated.
    #[arg(long, value_name = "FILE")]
    log: Vec<PathBuf>,
    /// Postfix's master.cf, to check the delivery agents that Postfix runs; default:
    /// /etc/postfix/master.cf.
    #[arg(long, value_name = "FILE")]
    master_cf: Option<PathBuf>,
    /// File with the token for the server's HTTP API; default: the server's --http-token.
    #[arg(long, value_name = "FILE")]
    http_token: Option<PathBuf>,
    /// Request more events from Dovecot's processes for this time, at most one hour, and
    /// report which term of a filter no event meets. Dovecot's processes send and fantail
    /// reads more events during this time.
    #[arg(long, value_name = "TIME", value_parser = flag::interval)]
    watch: Option<Duration>,
    /// Also write a new file for a support request. The file contains numbers and codes,
    /// but no names, addresses, paths or texts of this installation.
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
}

/// The maximum watch time: the server's limit of one hour per tap, minus a margin
/// because the taps for longer filters stay open longer.
const MAX_WATCH: Duration = Duration::from_secs(3_540);

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let path = configuration::find(arguments.config.as_deref());
    let questions = Questions {
        config: path.clone(),
        logs: arguments.log.clone(),
        master_cf: arguments.master_cf.clone(),
        token: arguments.http_token.clone(),
    };
    let gathered = gather::gather(&questions);
    let Gathered { facts, loaded, .. } = &gathered;
    let mut found = lint::diagnose(facts, loaded, &check::is_public);
    if let Some(time) = arguments.watch {
        let seconds = time.min(MAX_WATCH).as_secs().max(1);
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        let watched = watch::watch(&gathered, seconds)?;
        // The watch replaces these hints, which only guess why a metric has no events.
        let never = lint::DoctorCode::NeverMatched.as_str();
        found.retain(|one| one.code != never || one.severity >= Severity::Warning);
        found.extend(watched);
        lint::rank(&mut found);
    }
    if let Some(path) = &arguments.bundle {
        bundle::write(path, &gathered, &found)?;
    }
    let text = match arguments.format {
        Form::Json => json::write(&gathered, &found),
        Form::Text => {
            let (style, columns) = (terminal::output_style(), terminal::output_columns());
            report::write(&gathered, &found, style, columns)
        }
    };
    Output::open(Path::new("-"))?.write_whole(text.as_bytes())?;
    let is_wrong = found.iter().any(|one| one.severity >= Severity::Warning);
    Ok(if is_wrong {
        Findings::Some
    } else {
        Findings::None
    })
}
