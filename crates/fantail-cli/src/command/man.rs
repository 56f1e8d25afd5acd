//! `fantail man`: writes the manual pages, for packages.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;

use crate::exit::{Failure, Findings};

/// Write the manual pages, one file for each command.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Existing folder for the pages.
    folder: PathBuf,
}

/// Runs the command; `program` is the whole command line.
pub(crate) fn run(arguments: &Arguments, program: Command) -> Result<Findings, Failure> {
    let mut program = program.disable_help_subcommand(true);
    program.build();
    write(&program, &arguments.folder)?;
    Ok(Findings::None)
}

/// Writes the pages of a command and its subcommands.
fn write(command: &Command, folder: &Path) -> Result<(), Failure> {
    let title = command.get_display_name().unwrap_or(command.get_name());
    let page = Man::new(command.clone())
        .title(title.to_uppercase())
        .source(concat!("fantail ", env!("CARGO_PKG_VERSION")))
        .manual("fantail");
    page.generate_to(folder)
        .map_err(|error| Failure::file("write", &folder.join(page.get_filename()), &error))?;
    let commands = command.get_subcommands();
    for command in commands.filter(|command| !command.is_hide_set()) {
        write(command, folder)?;
    }
    Ok(())
}
