//! `fantail test`: runs the tests of a configuration.

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
use fantail::{
    config::{
        self, FileSystem, Limits, LoadOptions, Sources, Span, TestEvent, TestFile,
        internal::similar,
    },
    lint::Catalogue,
};

use self::outcome::Outcome;
use crate::{
    exit::{Failure, Findings, say},
    flag::Form,
    io::configuration,
    io::output::Output,
    io::paint::Paint,
    io::terminal,
};

/// Run the tests of a configuration.
///
/// A test file states which metrics must match an event, and the expected exports.
/// The events are written in the test file, or come from a capture.
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
    /// Test files to run.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Output format; json is one object.
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
    #[arg(long, hide = true)]
    json: bool,
}

/// The outcomes of a file's tests.
struct Tested {
    outcomes: Vec<Outcome>,
    warnings: Vec<Warning>,
    sources: Sources,
}

/// A warning about a test, which does not affect its outcome.
struct Warning {
    place: Span,
    message: String,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let mut tested = Vec::new();
    let mut findings = Findings::None;
    let form = arguments.format.of(arguments.json);
    let paint = match form {
        Form::Json => Paint::PLAIN,
        Form::Text => Paint::new(terminal::output_style()),
    };
    for path in &arguments.files {
        match run_file(path, paint)? {
            Some(one) => tested.push(one),
            None => findings = Findings::Some,
        }
    }
    if tested.is_empty() {
        return Ok(findings);
    }
    let text = match form {
        Form::Json => told::json(&tested),
        Form::Text => told::human(&tested, paint),
    };
    Output::open(Path::new("-"))?.write_whole(text.as_bytes())?;
    let mut outcomes = tested.iter().flat_map(|one| &one.outcomes);
    if !outcomes.all(Outcome::passed) {
        findings = Findings::Some;
    }
    Ok(findings)
}

/// Runs the tests of a file; reports its errors and returns `None` if it has any.
fn run_file(path: &Path, paint: Paint) -> Result<Option<Tested>, Failure> {
    let path = path.as_os_str().as_bytes();
    let mut file = TestFile::load(path, &FileSystem, &Limits::default());
    let Some(config) = file.config.clone().filter(|_| !has_errors(&file)) else {
        refuse(&file);
        return Ok(None);
    };
    let config = Path::new(std::ffi::OsStr::from_bytes(&config.value));
    let options = LoadOptions {
        dialect: file.dialect,
        ..LoadOptions::default()
    };
    let Some(loaded) = configuration::load(config, &options) else {
        return Ok(None);
    };
    let settings = loaded.settings;
    file.check_names(&settings);
    let mut events = events::Events::new(settings.dialect, file.hostname.clone());
    events.prepare(&mut file)?;
    if has_errors(&file) {
        refuse(&file);
        return Ok(None);
    }
    let warnings = unknown_events(&file);
    let mut outcomes = Vec::new();
    for test in &file.tests {
        outcomes.push(trial::run(test, &settings, &mut events, paint)?);
    }
    Ok(Some(Tested {
        outcomes,
        warnings,
        sources: file.sources,
    }))
}

/// Returns warnings about unknown events whose names resemble those of Dovecot events:
/// a test with such an event may pass without testing anything.
fn unknown_events(file: &TestFile) -> Vec<Warning> {
    let catalogue = Catalogue::new();
    let events = file.tests.iter().flat_map(|test| &test.events);
    let mut warnings = Vec::new();
    for event in events {
        let TestEvent::Written(written) = event else {
            continue;
        };
        let name = &written.name;
        if name.value.is_empty() || catalogue.event(&name.value).is_some() {
            continue;
        }
        let known = catalogue.events().iter().map(|event| event.name);
        let near = similar(&name.value, known, 1);
        let Some(near) = near.first() else {
            continue;
        };
        let name_written = name.value.escape_ascii();
        warnings.push(Warning {
            place: name.span,
            message: format!("Dovecot has no event `{name_written}`; did you mean `{near}`?"),
        });
    }
    warnings
}

fn has_errors(file: &TestFile) -> bool {
    file.diagnostics.has_errors()
}

/// Reports the errors of a test file.
fn refuse(file: &TestFile) {
    let drawn = config::render(&file.diagnostics, &file.sources, terminal::style());
    say(format_args!("{}", drawn.trim_end()));
}
