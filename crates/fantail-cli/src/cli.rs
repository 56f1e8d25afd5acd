//! The command line of the program.

use clap::{Parser, Subcommand};

use crate::io::terminal::Color;

/// The version, the commit, and the Dovecot releases that the tests use.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (commit ",
    env!("FANTAIL_COMMIT"),
    "), for Dovecot 2.3 and 2.4, tried with 2.3.19, 2.4.1 and 2.4.5"
);

/// Dovecot's event system: filters, metrics and exporters.
///
/// Reads the `metric` and `event_exporter` blocks of a dovecot.conf (2.3 or
/// 2.4) and does with events what Dovecot's stats process does.
#[derive(Debug, Parser)]
#[command(name = "fantail", version = VERSION)]
#[command(
    after_help = "Exit status: 0 all went well, 1 something in the input is wrong, 2 wrong usage."
)]
pub(crate) struct Cli {
    /// When to use colours in the output.
    #[arg(
        long,
        value_enum,
        default_value = "auto",
        value_name = "WHEN",
        global = true
    )]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[cfg(feature = "nats")]
    Aggregate(crate::command::aggregate::Arguments),
    #[cfg(feature = "nats")]
    Collect(crate::command::collect::Arguments),
    Check(crate::command::check::Arguments),
    Events(crate::command::events::Arguments),
    Explain(crate::command::explain::Arguments),
    Config(crate::command::config::Arguments),
    Completions(crate::command::completions::Arguments),
    Convert(crate::command::convert::Arguments),
    Doctor(crate::command::doctor::Arguments),
    #[command(hide = true)]
    Man(crate::command::man::Arguments),
    Replay(crate::command::replay::Arguments),
    Filter(crate::command::filter::Arguments),
    Fleet(crate::command::fleet::Arguments),
    Serve(Box<crate::command::serve::Arguments>),
    Test(crate::command::test::Arguments),
    Record(crate::command::record::Arguments),
    Reload(crate::command::reload::Arguments),
    Stats(crate::command::stats::Arguments),
    Tap(crate::command::tap::Arguments),
}
