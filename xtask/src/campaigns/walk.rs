//! `cargo xtask walk`: the steps of `docs/serve.md` on a real system, in the
//! documented order, in wrong orders, and with each step left out.
//!
//! After each step, a mail is delivered and read, because no step with fantail may stop
//! mail. In each state, a message must say what to do.

mod host;
mod mail;
mod paths;

use std::path::PathBuf;

use clap::Args;

use self::host::Host;
use crate::{error::Error, workspace::Workspace};

/// Walks through the steps of docs/serve.md in the root folder of another system.
///
/// Needs root, and a folder that `debootstrap` made, with Dovecot in it
/// (`dovecot-imapd`, `dovecot-lmtpd`). The folder is changed: fantail and its
/// configuration are put there, and Dovecot's configuration gets a test user.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The root folder of the system.
    root: PathBuf,
    /// Walk only these paths.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// The program; by default a debug build.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// One path through the steps.
struct Path {
    name: &'static str,
    /// Walks the path; fails if a step has an unexpected result.
    walk: fn(&mut Host) -> Result<(), Error>,
}

/// Runs the task.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    let program = match &options.program {
        Some(program) => program.clone(),
        None => workspace.target().join("debug/fantail"),
    };
    let mut failed = 0;
    for path in paths::ALL {
        if !options.only.is_empty() && !options.only.iter().any(|name| name == path.name) {
            continue;
        }
        println!("== {}", path.name);
        let walked = Host::new(&options.root, &program).and_then(|mut host| {
            let walked = (path.walk)(&mut host);
            host.stop_all();
            walked
        });
        if let Err(error) = walked {
            println!("   FAILED: {error}");
            failed += 1;
        }
    }
    println!("{failed} of {} paths failed", paths::ALL.len());
    Ok(failed == 0)
}
