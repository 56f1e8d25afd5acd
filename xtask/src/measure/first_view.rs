//! `cargo xtask bench first-view`: when Chromium has drawn the first view of the page.

use crate::{error::Error, workspace::Workspace};

/// The test that opens the page and prints the times.
const TEST: &str = "loading::the_first_view_marks_its_times";

/// Measures when Chromium has drawn the first view of the page.
///
/// Opens the page on the loopback, with an empty and with a full cache of the browser, and
/// prints medians: of the first paint, and of the page's own marks `view` (the controls of
/// the view are drawn) and `status` (the first data of the server is drawn).
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Number of loads with each cache.
    #[arg(long, default_value_t = 31)]
    loads: usize,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    let test = [
        "test",
        "--release",
        "--package",
        "fantail-server",
        "--test",
        "browser",
    ];
    let mut command = workspace.cargo(test);
    command.args(["--", "--exact", TEST, "--nocapture"]);
    command.env("FANTAIL_PAGE_LOADS", options.loads.to_string());
    let status = command
        .status()
        .map_err(|error| Error::new(format!("cannot run cargo: {error}")))?;
    Ok(status.success())
}
