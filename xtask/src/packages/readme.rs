//! The `README.md` of each published package: its crate documentation, without what
//! only rustdoc reads.

use crate::{
    error::Error,
    workspace::{Package, TextFile, Workspace},
};

/// Writes the `README.md` of each published package from the documentation in its
/// `src/lib.rs`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {}

pub(crate) fn run(workspace: &Workspace) -> Result<bool, Error> {
    let files = workspace.text_files()?;
    workspace.write_changed(expected(&workspace.packages, &files))?;
    Ok(true)
}

/// Returns the path and the text of each README.
pub(crate) fn expected(packages: &[Package], files: &[TextFile]) -> Vec<(String, String)> {
    let published = packages.iter().filter(|package| package.published);
    let readmes = published.filter_map(|package| {
        let path = format!("{}/src/lib.rs", package.folder);
        let source = files.iter().find(|file| file.path == path)?;
        let text = readme(&package.name, &source.text);
        Some((format!("{}/README.md", package.folder), text))
    });
    readmes.collect()
}

fn readme(name: &str, source: &str) -> String {
    let docs = source.lines().map_while(|line| line.strip_prefix("//!"));
    let docs: Vec<&str> = docs
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    let addresses: Vec<&str> = docs.iter().filter_map(|line| defined(line)).collect();
    let mut text = format!("# {name}\n\n");
    let mut prose = String::new();
    let mut in_code = false;
    for line in &docs {
        if let Some(language) = line.strip_prefix("```") {
            text.push_str(&without_items(&prose, &addresses));
            prose.clear();
            in_code = !in_code;
            let is_rust = in_code && matches!(language, "" | "no_run" | "rust");
            text.push_str(if is_rust { "```rust" } else { line });
            text.push('\n');
        } else if in_code {
            if *line == "#" || line.starts_with("# ") {
                continue;
            }
            let escaped = line.strip_prefix('#').filter(|it| it.starts_with('#'));
            text.push_str(escaped.unwrap_or(line));
            text.push('\n');
        } else if !is_definition(line) || defined(line).is_some() {
            prose.push_str(if line.starts_with("# ") { "#" } else { "" });
            prose.push_str(line);
            prose.push('\n');
        }
    }
    text.push_str(&without_items(&prose, &addresses));
    let text = text.trim_end();
    format!("{text}\n\n## Licence\n\nMIT or Apache-2.0, at your option.\n")
}

fn is_definition(line: &str) -> bool {
    line.starts_with('[') && line.contains("]: ")
}

/// Returns the text between the brackets if the line gives it a web address.
fn defined(line: &str) -> Option<&str> {
    let (label, address) = line.strip_prefix('[')?.split_once("]: ")?;
    address.starts_with("http").then_some(label)
}

/// Replaces links to items by their texts.
fn without_items(prose: &str, addresses: &[&str]) -> String {
    let mut text = String::new();
    let mut rest = prose;
    while let Some((before, link)) = rest.split_once('[') {
        let Some((label, after)) = link.split_once(']') else {
            break;
        };
        text.push_str(before);
        let target = after.strip_prefix('(').and_then(|it| it.split_once(')'));
        match target {
            Some((target, after)) if !target.starts_with("http") => {
                text.push_str(label);
                rest = after;
            }
            None if label.starts_with('`') && !addresses.contains(&label) => {
                text.push_str(label);
                rest = after;
            }
            _ => {
                text.push('[');
                text.push_str(label);
                text.push(']');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::readme;

    #[test]
    fn what_only_rustdoc_reads_is_left_out() {
        let source = "//! Filters of [`tracing`] for [`Event`](crate::Event)s, [as said\n//! below](#more).\n\
                      //!\n//! # More\n//! ```\n//! # use a::b;\n//! b([1]);\n//! ## c\n//! ```\n\
                      //! ```text\n//! x\n//! ```\n//!\n\
                      //! [`Event`]: crate::Event\n//! [`tracing`]: https://docs.rs/tracing\n\
                      \nmod a;\n//! no documentation of the crate\n";
        assert_eq!(
            readme("a", source),
            "# a\n\nFilters of [`tracing`] for `Event`s, as said\nbelow.\n\n## More\n```rust\n\
             b([1]);\n# c\n```\n```text\nx\n```\n\n[`tracing`]: https://docs.rs/tracing\n\n\
             ## Licence\n\nMIT or Apache-2.0, at your option.\n"
        );
    }
}
