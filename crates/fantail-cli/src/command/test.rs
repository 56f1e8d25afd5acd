//! `fantail test`: whether a configuration does what its tests say.

mod diff;
mod events;
mod outcome;
mod told;
mod trial;

use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use clap::Args;
use fantail::config::{self, FileSystem, Limits, TestFile};

use crate::{
    exit::{Failure, Findings, say},
    io::configuration,
    io::output::Output,
    io::terminal,
};

/// Run the tests of a configuration.
///
/// A test file says which events must match which metrics, and what must be
/// exported. Events are written in it, or come from a capture.
#[derive(Debug, Args)]
#[command(after_help = "\
Example of a test file:
  config = dovecot.conf

  test \"a SELECT is logged, one of INBOX is not\" {
    event imap_command_finished {
      cmd_name = SELECT
      tagged_reply_state = OK
      mailbox = INBOX
    }
    not_matches = imap/log/select
  }

Exit status: 0 all tests passed; 1 a test failed, or a file has errors;
2 wrong usage.")]
pub(crate) struct Arguments {
    /// The test file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print JSON, one object.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let path = arguments.file.as_os_str().as_bytes();
    let mut file = TestFile::load(path, &FileSystem, &Limits::default());
    let Some(config) = file.config.clone().filter(|_| !has_errors(&file)) else {
        return Ok(refuse(&file));
    };
    let config = Path::new(std::ffi::OsStr::from_bytes(&config.value));
    let Some(loaded) = configuration::load_as(config, file.dialect) else {
        return Ok(Findings::Some);
    };
    let settings = loaded.settings;
    file.check_names(&settings);
    let mut events = events::Events::new(settings.dialect, file.hostname.clone());
    events.prepare(&mut file)?;
    if has_errors(&file) {
        return Ok(refuse(&file));
    }
    let mut outcomes = Vec::new();
    for test in &file.tests {
        outcomes.push(trial::run(test, &settings, &mut events)?);
    }
    let text = if arguments.json {
        told::json(&outcomes, &file.sources)
    } else {
        told::human(&outcomes, &file.sources)
    };
    Output::open(Path::new("-"))?.write_whole(text.as_bytes())?;
    let passed = outcomes.iter().all(outcome::Outcome::passed);
    Ok(if passed {
        Findings::None
    } else {
        Findings::Some
    })
}

fn has_errors(file: &TestFile) -> bool {
    file.diagnostics.has_errors()
}

/// Says what is wrong with a test file.
fn refuse(file: &TestFile) -> Findings {
    let drawn = config::render(&file.diagnostics, &file.sources, terminal::style());
    say(format_args!("{}", drawn.trim_end()));
    Findings::Some
}
