//! `fantail doctor`: what is wrong with an installation.

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

/// Say what is wrong with an installation, and how to mend it.
///
/// Looks at the configuration, the sockets, the processes, and the numbers that a
/// running fantail or Dovecot's own stats process gives. It writes nothing, sends no
/// event, and waits for no answer longer than some seconds. What it may not see, it
/// names: as root it sees all.
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
    /// The configuration of fantail, or Dovecot's; without it, that of this machine.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How to tell.
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
    /// Another log to look through, such as that of the mail transport agent; more
    /// than one is possible.
    #[arg(long, value_name = "FILE")]
    log: Vec<PathBuf>,
    /// The master.cf of Postfix, for delivery agents that it runs; without it,
    /// /etc/postfix/master.cf.
    #[arg(long, value_name = "FILE")]
    master_cf: Option<PathBuf>,
    /// The file of the token for the server's HTTP; without it, that of its own flags.
    #[arg(long, value_name = "FILE")]
    http_token: Option<PathBuf>,
    /// Ask Dovecot's processes for more events for this time, at most an hour, and say
    /// which term of a filter fails. They send more meanwhile, and fantail reads it.
    #[arg(long, value_name = "TIME", value_parser = flag::interval)]
    watch: Option<Duration>,
    /// Also write a new file for a support request: numbers and codes, without names,
    /// addresses, paths and texts of this installation.
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
}

/// The longest time that a server keeps a tap open, less what its taps differ in.
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
        // What was only supposed is known now.
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
