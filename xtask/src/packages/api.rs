//! The public API of each library, compared with the listing in `docs/api/`.
//!
//! A listing has one item a line, including hidden items, so that a review
//! shows changes of the public surface. The compiler describes the items
//! (rustdoc's JSON). Its format belongs to one release, so the listings are
//! valid for the compiler in their first line, and are skipped with any other.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{
    error::Error,
    steps::{Outcome, Steps},
    tools,
    workspace::{Package, Workspace},
};

/// The folder of the listings, relative to the root.
const LISTINGS: &str = "docs/api";

/// Compares the API with the listings; with `UPDATE_EXPECT=1` in the
/// environment, writes them.
pub(crate) fn step(workspace: &Workspace, steps: &Steps) -> Outcome {
    let compiler = tools::compiler(workspace);
    let updates = env::var_os("UPDATE_EXPECT").is_some();
    let libraries: Vec<&Package> = workspace
        .packages
        .iter()
        .filter(|package| is_published(workspace, package))
        .collect();
    if !updates && let Some(other) = other_compiler(workspace, &libraries, &compiler) {
        return Outcome::Optional(format!("listed with {other}, this is {compiler}"));
    }
    let wrapper = match rustdoc(workspace) {
        Ok(wrapper) => wrapper,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    let commands = libraries.iter().map(|package| {
        let mut command = workspace.cargo(["rustdoc", "--lib", "--all-features", "--package"]);
        command.args([package.name.as_str(), "--", "--output-format", "json"]);
        command.args(["-Zunstable-options", "--document-hidden-items"]);
        command.args(["--cap-lints", "allow"]);
        command.env("RUSTDOC", &wrapper);
        command
    });
    let outcome = steps.run("api", commands.collect::<Vec<_>>());
    if !matches!(outcome, Outcome::Passed(_)) {
        return outcome;
    }
    let (mut items, mut changed) = (0, String::new());
    for package in libraries {
        match compare(workspace, package, &compiler, updates) {
            Ok((count, difference)) => {
                items += count;
                changed.push_str(&difference);
            }
            Err(error) => return Outcome::Failed(error.to_string()),
        }
    }
    if changed.is_empty() {
        return Outcome::Passed(format!("{items} items"));
    }
    Outcome::Failed(format!(
        "{changed}the public API changed; review it, then \
         `UPDATE_EXPECT=1 cargo xtask test api` records it"
    ))
}

fn is_published(workspace: &Workspace, package: &Package) -> bool {
    let library = workspace.root().join(&package.folder).join("src/lib.rs");
    library.is_file() && package.published
}

/// Returns the compiler of the first listing that was written with another one.
fn other_compiler(workspace: &Workspace, libraries: &[&Package], compiler: &str) -> Option<String> {
    libraries.iter().find_map(|package| {
        let text = fs::read_to_string(listing(workspace, package)).ok()?;
        let first = text.lines().next()?.strip_prefix("# ")?;
        (first != compiler).then(|| first.to_owned())
    })
}

fn listing(workspace: &Workspace, package: &Package) -> PathBuf {
    let folder = workspace.root().join(LISTINGS);
    folder.join(format!("{}.txt", package.name))
}

/// Writes a program that runs rustdoc with its unstable options allowed. The
/// variable is set for rustdoc only: with it, cargo would build all
/// dependencies again.
fn rustdoc(workspace: &Workspace) -> Result<PathBuf, Error> {
    let path = workspace.logs().join("rustdoc");
    fs::write(&path, "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n")
        .map_err(Error::at("write", &path))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let changed = fs::set_permissions(&path, fs::Permissions::from_mode(0o755));
        changed.map_err(Error::at("make executable", &path))?;
    }
    Ok(path)
}

/// Returns the number of a library's items, and their differences to its
/// listing.
fn compare(
    workspace: &Workspace,
    package: &Package,
    compiler: &str,
    updates: bool,
) -> Result<(usize, String), Error> {
    let described = workspace
        .target()
        .join("doc")
        .join(format!("{}.json", package.name.replace('-', "_")));
    let items = items(&described)?;
    let path = listing(workspace, package);
    if updates {
        let text = format!("# {compiler}\n{}\n", items.join("\n"));
        let written = fs::create_dir_all(workspace.root().join(LISTINGS))
            .and_then(|()| fs::write(&path, text));
        written.map_err(Error::at("write", &path))?;
        return Ok((items.len(), String::new()));
    }
    let listed = fs::read_to_string(&path).unwrap_or_default();
    let listed: Vec<&str> = listed.lines().skip(1).collect();
    Ok((items.len(), difference(&package.name, &listed, &items)))
}

fn items(described: &Path) -> Result<Vec<String>, Error> {
    let api = public_api::Builder::from_rustdoc_json(described)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .map_err(Error::at("read", described))?;
    let mut items: Vec<String> = api.items().map(ToString::to_string).collect();
    items.sort_unstable();
    items.dedup();
    Ok(items)
}

/// Returns a line for each item that is in one of the two only.
fn difference(name: &str, listed: &[&str], items: &[String]) -> String {
    let mut text = String::new();
    for gone in listed.iter().filter(|line| {
        let line = **line;
        !items.iter().any(|item| item == line)
    }) {
        text.push_str(&format!("{name}: - {gone}\n"));
    }
    for new in items.iter().filter(|item| !listed.contains(&item.as_str())) {
        text.push_str(&format!("{name}: + {new}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn items_of_one_side_are_shown() {
        let items = ["pub fn a::b()".to_owned(), "pub fn a::c()".to_owned()];
        assert_eq!(
            difference("a", &["pub fn a::b()", "pub fn a::d()"], &items),
            "a: - pub fn a::d()\na: + pub fn a::c()\n"
        );
        assert_eq!(
            difference("a", &["pub fn a::b()", "pub fn a::c()"], &items),
            ""
        );
    }
}
