//! The command line as a whole.

use clap::{Parser, Subcommand};

use crate::io::terminal::Color;

/// Dovecot's event system: filters, metrics and exporters.
///
/// Reads the `metric` and `event_exporter` blocks of a dovecot.conf (2.3 or
/// 2.4) and does with events what Dovecot's stats process does.
#[derive(Debug, Parser)]
#[command(name = "fantail", version, disable_help_subcommand = true)]
#[command(
    after_help = "Exit status: 0 all went well, 1 something in the input is wrong, 2 wrong usage."
)]
pub(crate) struct Cli {
    /// Colours in what is written to terminals.
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
    Check(crate::command::check::Arguments),
    Events(crate::command::events::Arguments),
    Config(crate::command::config::Arguments),
    Convert(crate::command::convert::Arguments),
    Replay(crate::command::replay::Arguments),
    Filter(crate::command::filter::Arguments),
    Serve(crate::command::serve::Arguments),
    Test(crate::command::test::Arguments),
    Reload(crate::command::reload::Arguments),
    Stats(crate::command::stats::Arguments),
    Tap(crate::command::tap::Arguments),
}
