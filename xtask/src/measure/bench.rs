//! `cargo xtask bench`: the benchmarks of `benches/`, by criterion.

use crate::{
    error::Error, measure::compare, measure::first_view, measure::latency, measure::pages,
    measure::peers, workspace::Workspace,
};

/// Runs the benchmarks of `benches/`.
///
/// There is a file a layer (`event`, …), and in each group a baseline that
/// does nothing but walk the same data: subtract it. Compare within one run
/// only; a machine's speed drifts by more than most changes. Criterion
/// compares with the last run, and keeps its reports in
/// `target/criterion`.
///
/// `latency` is another matter, and runs only if it is named: IMAP commands of
/// a real Dovecot, with its own stats process and with ours; with `--filter asked`, without
/// and with a request for all events.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    peer: Option<Peer>,

    /// The benchmark file to run, such as `event`; all if none is named.
    name: Option<String>,

    /// Only benchmarks whose `group/name` contains this.
    #[arg(long, short)]
    filter: Option<String>,

    /// Less sure figures in a fraction of the time.
    #[arg(long)]
    quick: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Peer {
    Compare(compare::Options),
    Peers(peers::Options),
    Pages(pages::Options),
    FirstView(first_view::Options),
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    match &options.peer {
        Some(Peer::Compare(options)) => return compare::run(workspace, options),
        Some(Peer::Peers(options)) => return peers::run(workspace, options),
        Some(Peer::Pages(options)) => return pages::run(workspace, options),
        Some(Peer::FirstView(options)) => return first_view::run(workspace, options),
        None => {}
    }
    if options.name.as_deref() == Some(latency::NAME) {
        let asked = options.filter.as_deref() == Some("asked");
        return latency::run(workspace, options.quick, asked);
    }
    let mut command = workspace.cargo(["bench", "--package", "fantail-benches"]);
    match &options.name {
        Some(name) => command.args(["--bench", name]),
        None => command.arg("--benches"),
    };
    command.arg("--");
    command.args(&options.filter);
    if options.quick {
        command.arg("--quick");
    }
    let status = command
        .status()
        .map_err(|error| Error::new(format!("cannot run cargo: {error}")))?;
    Ok(status.success())
}
