//! The parser of filters, which LALRPOP writes from `grammar.lalrpop`, against
//! the one in the repository.
//!
//! It is committed so that users of the crates do not build the generator.

use std::fs;

use crate::{
    error::Error,
    steps::{Outcome, Steps},
    workspace::Workspace,
};

/// The folder of the grammar and of the parser, relative to the root.
const FOLDER: &str = "crates/fantail-syntax/src/parse";
/// The parser.
const PARSER: &str = "grammar.rs";

/// Writes the generated parser.
///
/// Its source is `crates/fantail-syntax/src/parse/grammar.lalrpop`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Change nothing; fail if the parser differs from that of the grammar.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    let steps = Steps::new(workspace.logs(), false);
    match compare(workspace, &steps)? {
        Compared::Failed(output) => Err(Error::new(output)),
        Compared::Equal => {
            println!("{FOLDER}/{PARSER} is current");
            Ok(true)
        }
        Compared::Differs(_) if options.check => {
            println!("{}", difference());
            Ok(false)
        }
        Compared::Differs(parser) => {
            let path = workspace.root().join(FOLDER).join(PARSER);
            fs::write(&path, parser).map_err(Error::at("write", &path))?;
            println!("{FOLDER}/{PARSER} is written");
            Ok(true)
        }
    }
}

/// The step of `cargo xtask test`.
pub(crate) fn step(workspace: &Workspace, steps: &Steps) -> Outcome {
    match compare(workspace, steps) {
        Ok(Compared::Equal) => Outcome::Passed(String::new()),
        Ok(Compared::Differs(_)) => Outcome::Failed(difference()),
        Ok(Compared::Failed(output)) => Outcome::Failed(output),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

fn difference() -> String {
    format!("{FOLDER}/{PARSER} is not what the grammar gives: run `cargo xtask codegen`")
}

/// The generated parser beside the one in the repository.
enum Compared {
    Equal,
    /// The generated text.
    Differs(String),
    /// What the generator printed.
    Failed(String),
}

fn compare(workspace: &Workspace, steps: &Steps) -> Result<Compared, Error> {
    let output = workspace.logs().join("codegen");
    fs::create_dir_all(&output).map_err(Error::at("make", &output))?;
    let mut command = workspace.cargo(["run", "--package", "xtask", "--features", "codegen"]);
    command
        .args(["--bin", "codegen", "--", FOLDER])
        .arg(&output);
    match steps.run("codegen", [command]) {
        Outcome::Passed(_) => {}
        Outcome::Failed(output) | Outcome::Skipped(output) | Outcome::Optional(output) => {
            return Ok(Compared::Failed(output));
        }
    }
    let generated = output.join(PARSER);
    let generated = fs::read_to_string(&generated).map_err(Error::at("read", &generated))?;
    let committed = workspace.root().join(FOLDER).join(PARSER);
    let committed = fs::read_to_string(&committed).map_err(Error::at("read", &committed))?;
    if generated == committed {
        return Ok(Compared::Equal);
    }
    Ok(Compared::Differs(generated))
}
