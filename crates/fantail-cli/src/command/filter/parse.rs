//! `fantail filter parse`: prints the canonical form of a filter.

use std::path::Path;

use clap::Args;
use fantail::{config, event, filter::Filter, syntax::ParseOptions};

use crate::{
    dialect::{self, Dialect},
    exit::{Failure, Findings, say},
    io::output::Output,
    io::terminal,
};

/// Print a filter's canonical form, as a stats server sends it.
///
/// The command reports errors and warnings on standard error. `fantail explain CODE`
/// explains the code in brackets.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  fantail filter parse 'a=1 OR b=2 AND c=3'
prints (((\"a\"=\"1\" OR \"b\"=\"2\") AND \"c\"=\"3\")): AND and OR bind alike, from the left.

Exit status: 0 the filter is well-formed, if odd; 1 it is not; 2 wrong usage.")]
pub(crate) struct Arguments {
    /// Filter to parse.
    #[arg(value_name = "EXPR")]
    filter: String,
    /// Dovecot series whose rules apply.
    #[arg(long, value_enum)]
    dialect: Option<Dialect>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let dialect = dialect::of_filter(arguments.dialect, &arguments.filter);
    let Some(filter) = parse_or_say(arguments.filter.as_bytes(), dialect) else {
        return Ok(Findings::Some);
    };
    say_warnings(arguments.filter.as_bytes(), &filter);
    let mut line = filter.canonical().to_vec();
    line.push(b'\n');
    Output::open(Path::new("-"))?.write_whole(&line)?;
    Ok(Findings::None)
}

/// Reports the warnings about a filter.
pub(crate) fn say_warnings(text: &[u8], filter: &Filter) {
    let warnings = filter.warnings();
    if !warnings.is_empty() {
        let style = terminal::style();
        let drawn = config::render_filter_warnings("filter", text, &warnings, style);
        say(format_args!("{}", drawn.trim_end()));
    }
}

/// Parses a filter, or reports its error and returns `None`.
pub(crate) fn parse_or_say(text: &[u8], dialect: event::Dialect) -> Option<Filter> {
    match Filter::parse(text, &ParseOptions::new(dialect)) {
        Ok(filter) => Some(filter),
        Err(errors) => {
            let style = terminal::style();
            let drawn = config::render_filter_errors("filter", text, &errors, style);
            say(format_args!("{}", drawn.trim_end()));
            None
        }
    }
}
