//! The order of the crates, and the crates that each may use.
//!
//! It is compared with the dependencies of each manifest, including optional and
//! build dependencies. Tests may use any crate: their dependencies are exempt.

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
    ("fantail-fleet", &["fantail-metrics"]),
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
    (
        "fantail-server",
        &[
            "fantail-engine",
            "fantail-wire",
            "fantail-exposition",
            // It answers the questions of a fleet.
            "fantail-fleet",
            // It refuses filters that end Dovecot's processes.
            "fantail-lint",
        ],
    ),
    ("fantail-tracing", &["fantail-engine", "fantail-exposition"]),
    (
        "fantail",
        &[
            "fantail-engine",
            "fantail-wire",
            "fantail-exposition",
            "fantail-fleet",
            "fantail-lint",
            "fantail-server",
            "fantail-tracing",
        ],
    ),
    ("fantail-cli", &["fantail"]),
];

/// Packages for development: they may use any crate, and no crate may use
/// them outside its tests.
const DEVELOPMENT: &[&str] = &[
    "fantail-testkit",
    "fantail-oracle",
    "fantail-simulate",
    "fantail-benches",
    "fantail-examples",
    "fantail-example-wasm",
];

pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    let mut findings = check_against(packages, LAYERS);
    findings.extend(rows_without_package(packages, LAYERS));
    findings
}

fn rows_without_package(packages: &[Package], layers: &[(&str, &[&str])]) -> Vec<Finding> {
    let exists = |name: &str| packages.iter().any(|package| package.name == name);
    let stale = layers.iter().filter(|(name, _)| !exists(name));
    let finding = |(name, _): &(&str, &[&str])| {
        let message = format!("there is no package {name}");
        Finding::error("xtask/src/tidy/layers.rs", 0, message)
    };
    stale.map(finding).collect()
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
    use super::{LAYERS, check_against, rows_without_package};
    use crate::workspace::Package;

    fn package(name: &str, uses: &[&str]) -> Package {
        Package {
            uses: uses.iter().map(|&used| used.to_owned()).collect(),
            ..Package::named(name)
        }
    }

    fn check(name: &str, uses: &[&str], expected: &[&str]) {
        let found = check_against(&[package(name, uses)], LAYERS);
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
    fn packages_for_development_are_not_used() {
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
    fn a_row_needs_a_package() {
        let found = rows_without_package(&[package("a", &[])], &[("a", &[]), ("b", &["a"])]);
        let found: Vec<&str> = found.iter().map(|finding| &*finding.message).collect();
        assert_eq!(found, ["there is no package b"]);
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
