//! The order of the crates: who may use whom.
//!
//! Checked against what each manifest asks for, including optional and build
//! dependencies. Tests may use any crate: their dependencies are exempt.

use std::collections::BTreeSet;

use super::Finding;
use crate::workspace::Package;

/// The crates, lower ones first, each with those that it may use; with a
/// crate it may also use all that this one may use.
const LAYERS: &[(&str, &[&str])] = &[
    ("fantail-event", &[]),
    // For Dialect, Level and Ip; events themselves are no matter of a syntax.
    ("fantail-syntax", &["fantail-event"]),
    ("fantail-filter", &["fantail-event", "fantail-syntax"]),
    ("fantail-format", &["fantail-event"]),
    ("fantail-wire", &["fantail-event"]),
    // It is told which metrics an event matched.
    ("fantail-metrics", &["fantail-event"]),
    ("fantail-transport", &[]),
    ("fantail-exposition", &["fantail-metrics"]),
    (
        "fantail-config",
        &[
            "fantail-syntax",
            "fantail-filter",
            "fantail-metrics",
            "fantail-format",
            // For the settings of transports and queues.
            "fantail-transport",
        ],
    ),
    ("fantail-lint", &["fantail-config", "fantail-filter"]),
    (
        "fantail-engine",
        &[
            "fantail-filter",
            "fantail-metrics",
            "fantail-format",
            "fantail-transport",
            "fantail-config",
        ],
    ),
    ("fantail-tracing", &["fantail-engine"]),
    (
        "fantail-server",
        &[
            "fantail-engine",
            "fantail-wire",
            "fantail-exposition",
            // It refuses filters that end Dovecot's processes.
            "fantail-lint",
        ],
    ),
    (
        "fantail",
        &[
            "fantail-engine",
            "fantail-wire",
            "fantail-exposition",
            "fantail-lint",
            "fantail-tracing",
            "fantail-server",
        ],
    ),
    ("fantail-cli", &["fantail"]),
];

/// Packages for development: they may use any crate, and no crate may use
/// them outside its tests.
const DEVELOPMENT: &[&str] = &["fantail-testkit", "fantail-oracle", "fantail-benches"];

pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    check_against(packages, LAYERS)
}

fn check_against(packages: &[Package], layers: &[(&str, &[&str])]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        let manifest = format!("{}/Cargo.toml", package.folder);
        if DEVELOPMENT.contains(&package.name.as_str()) {
            continue;
        }
        let allowed = if package.name == "xtask" {
            // It must run when nothing else builds.
            BTreeSet::new()
        } else if layers.iter().any(|(name, _)| *name == package.name) {
            reachable(&package.name, layers)
        } else {
            let message = "this package has no place in the order of xtask/src/tidy/layers.rs";
            findings.push(Finding::error(manifest, 0, message));
            continue;
        };
        for used in &package.uses {
            if !allowed.contains(used.as_str()) {
                let message = format!("{} may not use {used}", package.name);
                findings.push(Finding::error(&manifest, 0, message));
            }
        }
    }
    findings
}

/// All that a crate may use, directly or not.
fn reachable<'a>(name: &str, layers: &'a [(&'a str, &'a [&'a str])]) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut wanted: BTreeSet<&str> = BTreeSet::from([name]);
    // From the top down: a row names only rows above it (tested below).
    for (row, uses) in layers.iter().rev() {
        if wanted.contains(row) {
            wanted.extend(uses.iter().copied());
            found.extend(uses.iter().copied());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{LAYERS, check_against};
    use crate::workspace::Package;

    fn check(name: &str, uses: &[&str], expected: &[&str]) {
        let package = Package {
            name: name.to_owned(),
            folder: format!("crates/{name}"),
            rust: String::new(),
            uses: uses.iter().map(|&used| used.to_owned()).collect(),
            features: Vec::new(),
        };
        let found = check_against(&[package], LAYERS);
        let found: Vec<&str> = found.iter().map(|finding| &*finding.message).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn each_row_names_only_rows_above_it() {
        for (index, (name, uses)) in LAYERS.iter().enumerate() {
            for used in *uses {
                let lower = LAYERS[..index].iter().any(|(lower, _)| lower == used);
                assert!(lower, "{name} names {used}");
            }
        }
    }

    #[test]
    fn only_lower_crates_may_be_used() {
        check("fantail-event", &[], &[]);
        check(
            "fantail-event",
            &["fantail-syntax"],
            &["fantail-event may not use fantail-syntax"],
        );
        check("fantail-syntax", &["fantail-event"], &[]);
        check("fantail-engine", &["fantail-event", "fantail-config"], &[]);
        check(
            "fantail-engine",
            &["fantail-wire"],
            &["fantail-engine may not use fantail-wire"],
        );
        check("fantail-cli", &["fantail-event", "fantail-server"], &[]);
    }

    #[test]
    fn nobody_uses_what_is_for_development() {
        check(
            "fantail-filter",
            &["fantail-testkit"],
            &["fantail-filter may not use fantail-testkit"],
        );
        check("fantail-testkit", &["fantail-engine"], &[]);
        check(
            "xtask",
            &["fantail-event"],
            &["xtask may not use fantail-event"],
        );
    }

    #[test]
    fn a_new_package_needs_a_row() {
        check(
            "fantail-new",
            &[],
            &["this package has no place in the order of xtask/src/tidy/layers.rs"],
        );
    }
}
