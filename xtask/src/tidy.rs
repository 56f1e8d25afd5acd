//! `cargo xtask tidy`: the rules of this repository that no other tool checks.
//!
//! Each check is a function from its input (packages, texts) to findings, so
//! that its tests need no files.

mod architecture;
mod book;
mod cycles;
mod documents;
mod error_codes;
mod examples;
mod layers;
mod manifests;
mod prose;
mod regressions;
mod sources;
mod type_names;
mod words;

use std::fmt;

use crate::{
    error::Error,
    steps::Outcome,
    workspace::{TextFile, Workspace},
};

/// A violation of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    /// Whether it is a warning, which does not fail the task.
    warning: bool,
    path: String,
    /// The line, from 1; 0 for the whole file.
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

/// Runs the task: prints all findings.
pub(crate) fn run(workspace: &Workspace) -> Result<bool, Error> {
    let (findings, files) = find(workspace)?;
    for finding in &findings {
        println!("{finding}");
    }
    println!("{}", summary(&findings, files));
    Ok(findings.iter().all(|finding| finding.warning))
}

/// Runs the step of `cargo xtask test`.
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
    findings.extend(manifests::check_published(&workspace.packages, &files));
    findings.extend(architecture::check(&workspace.packages, &files));
    findings.extend(sources::check(&files));
    findings.extend(cycles::check(&files));
    findings.extend(words::check(&files));
    findings.extend(prose::check(&files));
    findings.extend(type_names::check(&workspace.packages, &files));
    findings.extend(documents::check(&files));
    let is_file = |path: &str| workspace.root().join(path).is_file();
    findings.extend(book::check(&files, &is_file));
    findings.extend(book::check_drawings(&files));
    findings.extend(error_codes::check(&files));
    findings.extend(examples::check(&files));
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
