//! `fantail reload`: makes a running `fantail serve` reload its configuration.

use std::path::Path;

use clap::Args;
use fantail::{
    config::LoadOptions,
    wire::reader::{Reply, Request},
};

use crate::{
    command::check,
    command::stats::{Socket, client::Client},
    exit::{Failure, Findings, say},
    io::configuration,
};

/// Reload the configuration of a running `fantail serve`.
///
/// If the configuration has errors, the command prints them, and the server keeps
/// its settings.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit status: 0 the new configuration is in force; 1 the server refused it, or no
fantail answers; 2 wrong usage.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    socket: Socket,
}

/// Reports the findings of `fantail check` about the configuration.
fn say_findings(path: &Path) {
    if path.exists() {
        let loaded = configuration::load_silently(path, &LoadOptions::default());
        if let Some(findings) = check::drawn_findings(&loaded) {
            say(format_args!("{findings}"));
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let socket = arguments.socket.path();
    let mut client = Client::connect(&socket)?;
    client.send_request(&Request::Reload)?;
    // Dovecot's stats process ignores a reload, but answers this request. It
    // avoids a wait for an answer that never comes.
    client.send_request(&Request::RemoveMetric {
        name: (&b""[..]).into(),
    })?;
    match client.reply()? {
        Reply::Done => {
            say(format_args!("the configuration was reloaded"));
            say_findings(&arguments.socket.configuration());
            Ok(Findings::None)
        }
        Reply::Refused(why) => {
            let why = String::from_utf8_lossy(&why);
            match why.strip_prefix("FANTAIL-RELOAD: ") {
                Some(diagnostics) => Err(Failure::new(format!(
                    "the configuration stays as it was:\n{diagnostics}"
                ))),
                None => Err(Failure::new(format!(
                    "{} is a socket of Dovecot itself: it is reloaded by `doveadm reload`",
                    socket.display()
                ))),
            }
        }
    }
}
