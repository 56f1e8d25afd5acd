//! The lexer and the parser of filters, which logos and LALRPOP write, against
//! those in the repository.
//!
//! They are committed so that users of the crates do not build the generators.

use std::{fs, path::Path};

use crate::{
    error::Error,
    steps::{Outcome, Steps},
    workspace::Workspace,
};

/// The sources of fantail-syntax, relative to the root.
const FOLDER: &str = "crates/fantail-syntax/src";
/// The generated files, relative to the sources.
const GENERATED: [&str; 2] = ["lex/lexeme.rs", "parse/grammar.rs"];

/// Writes the generated lexer and parser.
///
/// Their sources are `lex/lexeme.logos` and `parse/grammar.lalrpop` of
/// `crates/fantail-syntax/src`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Change nothing; fail if a file differs from what its source gives.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<bool, Error> {
    let steps = Steps::new(workspace.logs(), false);
    let files = match generate(workspace, &steps)? {
        Generated::Failed(output) => return Err(Error::new(output)),
        Generated::Files(files) => files,
    };
    let mut is_current = true;
    for file in files {
        let path = workspace.root().join(FOLDER).join(file.path);
        if file.is_current {
            println!("{FOLDER}/{} is current", file.path);
        } else if options.check {
            println!("{}", difference(file.path));
            is_current = false;
        } else {
            fs::write(&path, file.text).map_err(Error::at("write", &path))?;
            println!("{FOLDER}/{} is written", file.path);
        }
    }
    Ok(is_current)
}

/// The step of `cargo xtask test`.
pub(crate) fn step(workspace: &Workspace, steps: &Steps) -> Outcome {
    let files = match generate(workspace, steps) {
        Ok(Generated::Files(files)) => files,
        Ok(Generated::Failed(output)) => return Outcome::Failed(output),
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    match files.iter().find(|file| !file.is_current) {
        Some(file) => Outcome::Failed(difference(file.path)),
        None => Outcome::Passed(String::new()),
    }
}

fn difference(path: &str) -> String {
    format!("{FOLDER}/{path} is not what its source gives: run `cargo xtask codegen`")
}

/// A generated file beside the one in the repository.
struct File {
    /// Relative to the sources.
    path: &'static str,
    text: String,
    is_current: bool,
}

enum Generated {
    Files(Vec<File>),
    /// What the generator printed.
    Failed(String),
}

fn generate(workspace: &Workspace, steps: &Steps) -> Result<Generated, Error> {
    let output = workspace.logs().join("codegen");
    fs::create_dir_all(&output).map_err(Error::at("make", &output))?;
    let mut command = workspace.cargo(["run", "--package", "xtask", "--features", "codegen"]);
    command
        .args(["--bin", "codegen", "--", FOLDER])
        .arg(&output);
    match steps.run("codegen", [command]) {
        Outcome::Passed(_) => {}
        Outcome::Failed(output) | Outcome::Skipped(output) | Outcome::Optional(output) => {
            return Ok(Generated::Failed(output));
        }
    }
    let files = GENERATED
        .iter()
        .map(|path| file(workspace, path, &output))
        .collect::<Result<_, _>>()?;
    Ok(Generated::Files(files))
}

fn file(workspace: &Workspace, path: &'static str, output: &Path) -> Result<File, Error> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let generated = output.join(name);
    let text = fs::read_to_string(&generated).map_err(Error::at("read", &generated))?;
    let committed = workspace.root().join(FOLDER).join(path);
    let committed = fs::read_to_string(&committed).map_err(Error::at("read", &committed))?;
    Ok(File {
        path,
        is_current: text == committed,
        text,
    })
}
