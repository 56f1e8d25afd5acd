//! `cargo xtask diff`: random cases, with a real Dovecot as the judge.

mod filters;
pub(crate) mod random;
mod shrink;
mod streams;
mod text;
mod version;
mod vocabulary;

use std::path::PathBuf;

use clap::Args;

use self::version::{Installation, Version};
use crate::{error::Error, workspace::Workspace};

/// Compares fantail with a real Dovecot on random cases.
///
/// Filters and events are evaluated by libdovecot and by `fantail filter eval`.
/// Configurations are run by a Dovecot's stats process and by `fantail serve`: clients
/// send the same lines to both, and both are asked for dumps, scrapes, and other
/// metrics. The answers and the exported lines must be the same, but for what
/// `docs/differences.md` lists.
///
/// Needs `dovecot-dev` for filters, and root for configurations.
///
/// Ends at the first difference, and prints the smallest case that shows it.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The number of filters to evaluate.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    filters: u64,
    /// The number of configurations to run, each with a stream.
    #[arg(long, value_name = "M", default_value_t = 100)]
    configurations: u64,
    /// The Dovecot to compare with: 2.3 is installed on this machine; 2.4.1 and 2.4.5
    /// are in the root folders of `DOVECOT_2_4_ROOT` and `DOVECOT_NEWEST_ROOT`.
    #[arg(long, value_name = "VERSION", value_enum, default_value = "2.3")]
    dovecot: Version,
    /// The seed of all cases.
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// The number of the first filter and configuration.
    #[arg(long, value_name = "CASE", default_value_t = 0)]
    first: u64,
    /// The program to compare; by default a release build.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    let installation = Installation::find(options.dovecot)?;
    let program = match &options.program {
        Some(program) => program.clone(),
        None => workspace.release_build()?,
    };
    let (seed, first) = (options.seed, options.first);
    let heading = format!("Dovecot {}, seed {seed}", options.dovecot.name());
    if options.filters > 0 {
        match filters::compare(&installation, &program, seed, first, options.filters)? {
            Ok(agreed) => println!("{heading}: {}", agreed.to_line()),
            Err(report) => {
                println!("{heading}, filters: {report}");
                return Ok(false);
            }
        }
    }
    if options.configurations > 0 {
        match streams::compare(&installation, &program, seed, first, options.configurations)? {
            Ok(agreed) => println!("{heading}: {}", agreed.to_line()),
            Err(report) => {
                println!("{heading}, configurations: {report}");
                return Ok(false);
            }
        }
    }
    Ok(true)
}
