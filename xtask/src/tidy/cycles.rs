//! Import cycles between sibling modules.
//!
//! Imports are found in the text: `crate::a::b` and `super::b`, including
//! groups in braces, without tests. Two modules that use each other cannot be
//! read one after the other.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::workspace::TextFile;

type Path = Vec<String>;

/// The modules that each module uses, for each folder.
type Uses = BTreeMap<Path, BTreeMap<String, BTreeSet<String>>>;

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    let mut crates: BTreeMap<&str, Vec<(Path, &str)>> = BTreeMap::new();
    for file in files {
        if let Some((name, module)) = module_of(&file.path) {
            crates.entry(name).or_default().push((module, &file.text));
        }
    }
    let cycles = crates.into_iter().flat_map(|(name, modules)| {
        let uses = uses_of(&modules);
        let folders = uses.into_iter();
        folders.flat_map(move |(folder, uses)| {
            let folder = [&["src".to_owned()], folder.as_slice()].concat().join("/");
            let path = format!("crates/{name}/{folder}");
            knots(&uses).into_iter().map(move |knot| {
                let message = format!("modules that use each other: {}", knot.join(", "));
                Finding::error(path.clone(), 0, message)
            })
        })
    });
    cycles.collect()
}

/// Returns the crate and the module of a source file; the root has an empty
/// path.
fn module_of(path: &str) -> Option<(&str, Path)> {
    let (name, file) = path.strip_prefix("crates/")?.split_once("/src/")?;
    let file = file.strip_suffix(".rs")?;
    let mut module: Path = file.split('/').map(str::to_owned).collect();
    if matches!(
        module.last().map(String::as_str),
        Some("lib" | "main" | "mod")
    ) {
        module.pop();
    }
    Some((name, module))
}

fn uses_of(modules: &[(Path, &str)]) -> Uses {
    let known: BTreeSet<&Path> = modules.iter().map(|(module, _)| module).collect();
    let mut uses = Uses::new();
    for (module, text) in modules {
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for used in references(module, text) {
            let common = module.iter().zip(&used).take_while(|(a, b)| a == b).count();
            let (Some(from), Some(to)) = (module.get(common), used.get(common)) else {
                continue;
            };
            let folder = module[..common].to_vec();
            let sibling = [folder.as_slice(), std::slice::from_ref(to)].concat();
            if known.contains(&sibling) {
                let of_folder = uses.entry(folder).or_default();
                of_folder
                    .entry(from.clone())
                    .or_default()
                    .insert(to.clone());
            }
        }
    }
    uses
}

/// Returns the paths that a module uses, from the crate's root.
fn references(module: &Path, text: &str) -> Vec<Path> {
    let mut found = Vec::new();
    for line in text.split(';').flat_map(without_comments) {
        for (start, base) in [("crate::", 0), ("super::", module.len().saturating_sub(1))] {
            for (at, _) in line.match_indices(start) {
                let is_whole = !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == ':');
                if is_whole {
                    let rest = &line[at + start.len()..];
                    expand(&module[..base], rest, &mut found);
                }
            }
        }
    }
    found
}

fn without_comments(statement: &str) -> Option<String> {
    let lines = statement.lines();
    let code = lines.filter(|line| !line.trim_start().starts_with("//"));
    Some(code.collect())
}

/// Appends the paths that begin a text such as `a::{b, c::d}`.
fn expand(base: &[String], text: &str, found: &mut Vec<Path>) {
    let text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        for part in parts(group) {
            expand(base, part, found);
        }
        return;
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let path = [base, &[name.to_owned()]].concat();
    match rest.strip_prefix("::") {
        Some(rest) => expand(&path, rest, found),
        None => found.push(path),
    }
}

/// Returns the parts of a group up to its closing brace.
fn parts(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts
}

/// Returns the modules that reach each other, each set once.
fn knots(uses: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reach = |from: &String| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(module) = open.pop() {
            for next in uses.get(module).into_iter().flatten() {
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        uses.keys().map(|module| (module, reach(module))).collect();
    let mut knots: Vec<Vec<String>> = Vec::new();
    for (module, those) in &reached {
        let mutual = those.iter().filter(|other| {
            let back = reached.get(**other);
            back.is_some_and(|back| back.contains(module))
        });
        let knot: Vec<String> = mutual.map(|other| (*other).clone()).collect();
        if knot.len() > 1 && !knots.contains(&knot) {
            knots.push(knot);
        }
    }
    knots
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::workspace::TextFile;

    #[track_caller]
    fn found(files: &[(&str, &str)], expected: &[&str]) {
        let file = |(path, text): &(&str, &str)| TextFile::new(path, text);
        let files: Vec<TextFile> = files.iter().map(file).collect();
        let found: Vec<String> = check(&files).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn modules_that_use_each_other_are_named() {
        found(
            &[
                ("crates/c/src/lib.rs", "mod a;"),
                ("crates/c/src/a.rs", "use crate::{b::{X, Y}, d};"),
                ("crates/c/src/b.rs", "use super::e::Z;"),
                ("crates/c/src/d.rs", ""),
                ("crates/c/src/e.rs", "fn f() { crate::a::g() }"),
            ],
            &["error: crates/c/src: modules that use each other: a, b, e"],
        );
    }

    #[test]
    fn children_and_tests_are_no_cycle() {
        found(
            &[
                ("crates/c/src/a.rs", "mod b; use self::b::X;"),
                ("crates/c/src/a/b.rs", "use super::Y; use crate::d::Z;"),
                (
                    "crates/c/src/d.rs",
                    "#[cfg(test)]\nmod tests { use crate::a::Q; }",
                ),
                ("crates/c/src/e.rs", "// use crate::f::X;\n"),
                ("crates/c/src/f.rs", "use crate::e::Y;"),
            ],
            &[],
        );
    }
}
