//! `cargo xtask tidy`: the rules of this repository that no other tool knows.
//!
//! Each check is a function from what it looks at (the packages, the texts)
//! to what it found, so that its tests need no files.

mod architecture;
mod cycles;
mod documents;
mod error_codes;
mod layers;
mod manifests;
mod prose;
mod regressions;
mod sources;
mod words;

use std::fmt;

use crate::{
    error::Error,
    steps::Outcome,
    workspace::{TextFile, Workspace},
};

/// Something that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    /// A warning fails nothing.
    warning: bool,
    path: String,
    /// From 1; 0 for the file as a whole.
    line: usize,
    message: String,
}

impl Finding {
    fn error(path: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self {
            warning: false,
            path: path.into(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.warning { "warning" } else { "error" };
        write!(f, "{kind}: {}", self.path)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// The task: prints all findings.
pub(crate) fn run(workspace: &Workspace) -> Result<bool, Error> {
    let (findings, files) = find(workspace)?;
    for finding in &findings {
        println!("{finding}");
    }
    println!("{}", summary(&findings, files));
    Ok(findings.iter().all(|finding| finding.warning))
}

/// The step of `cargo xtask test`.
pub(crate) fn step(workspace: &Workspace) -> Outcome {
    let (findings, files) = match find(workspace) {
        Ok(found) => found,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    let summary = summary(&findings, files);
    if findings.iter().all(|finding| finding.warning) {
        Outcome::Passed(summary)
    } else {
        let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
        Outcome::Failed(format!("{}\n{summary}", lines.join("\n")))
    }
}

fn find(workspace: &Workspace) -> Result<(Vec<Finding>, usize), Error> {
    let files = workspace.text_files()?;
    let mut findings = layers::check(&workspace.packages);
    findings.extend(manifests::check(&workspace.packages, &files));
    findings.extend(architecture::check(&workspace.packages, &files));
    findings.extend(sources::check(&files));
    findings.extend(cycles::check(&files));
    findings.extend(words::check(&files));
    findings.extend(prose::check(&files));
    findings.extend(documents::check(&files));
    findings.extend(error_codes::check(&files));
    findings.extend(regressions::check(&workspace.packages, &files));
    Ok((findings, files.len()))
}

fn summary(findings: &[Finding], files: usize) -> String {
    let warnings = findings.iter().filter(|finding| finding.warning).count();
    let errors = findings.len() - warnings;
    format!("{errors} errors, {warnings} warnings in {files} text files")
}

fn text_of<'a>(files: &'a [TextFile], path: &str) -> Option<&'a str> {
    files
        .iter()
        .find(|file| file.path == path)
        .map(|file| file.text.as_str())
}
