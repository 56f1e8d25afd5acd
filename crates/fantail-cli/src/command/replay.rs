//! `fantail replay`: plays captures through the engine.

pub(crate) mod results;
mod state;

use std::path::PathBuf;

use clap::Args;
use fantail::{engine::Engine, event::Activity, format::ExportContext};

use crate::{
    dialect::Rules,
    exit::{Failure, Findings, say},
    io::capture::{Player, Recording},
    io::configuration,
    io::exports::Exports,
    io::hostname,
    io::interrupt::Interrupt,
    io::output::Output,
};

/// Play captures through a configuration's metrics and exporters.
///
/// The output of `log` exporters goes to --exports, one line per event. Exports to
/// other targets are formatted and counted, but not sent. Connections are played one
/// after another, in the order of their first lines.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail replay --config dovecot.conf capture.tsv
  fantail replay --config dovecot.conf --exports /dev/null --dump - capture.tsv

A capture has one line for each line that a client sent to the stats-writer
socket: <connection> TAB <microseconds since 1970> TAB <line>.

Exit status: 0 success; 1 the configuration has errors, or a capture has invalid
lines (the other lines are played); 2 wrong usage.")]
pub(crate) struct Arguments {
    /// Configuration with metric and event_exporter blocks; default: the configuration
    /// of this machine.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    rules: Rules,
    /// Host name in exported events; default: this machine's.
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    /// Output file of log exporters; - is standard output.
    #[arg(long, value_name = "FILE", default_value = "-")]
    exports: PathBuf,
    /// File that keeps the counts from one run to the next. Metrics that have changed
    /// since the last run start at zero.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    #[command(flatten)]
    results: results::Results,
    /// Captures to play; - is standard input.
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let path = configuration::find(arguments.config.as_deref());
    let Some(loaded) = configuration::load(&path, &arguments.rules.options()) else {
        return Ok(Findings::Some);
    };
    let settings = loaded.settings;
    let before = arguments.state.as_deref().map(state::read).transpose()?;
    let mut engine = Engine::new(&settings).map_err(|error| Failure::new(error.to_string()))?;
    let hostname = match &arguments.hostname {
        Some(name) => name.clone().into_bytes(),
        None => hostname::of_this_machine(),
    };
    let mut exports = Exports::new(&settings, Output::open(&arguments.exports)?);
    let interrupt = Interrupt::watch();
    let mut player = Player::new(settings.dialect).until(&interrupt);
    let mut events = 0_u64;
    for path in &arguments.captures {
        if interrupt.is_raised() {
            break;
        }
        player.play(&mut Recording::open(path)?, |activity, received_at| {
            let context = ExportContext {
                host: &hostname,
                received_at,
            };
            events += u64::from(matches!(activity, Activity::Sent { .. }));
            engine.step(activity, context, &mut exports);
            exports.flow()
        })?;
    }
    if interrupt.is_raised() {
        say(format_args!(
            "interrupted: what follows counts the first {events} events"
        ));
    }
    exports.finish()?;
    let mut snapshot = engine.snapshot();
    if let Some(path) = &arguments.state {
        let plan = engine.plan();
        let filter = |name: &[u8]| plan.filter_text(name);
        if let Some(before) = before.flatten() {
            state::restore(&mut snapshot, before, path, filter);
        }
        state::write(&snapshot, path, filter)?;
    }
    for (path, contents) in arguments.results.render(&snapshot)? {
        Output::open(path)?.write_whole(&contents)?;
    }
    Ok(player.finish())
}
