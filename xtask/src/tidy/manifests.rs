//! Manifests: each package is named like its folder, and takes the lints,
//! edition and licence of the workspace instead of its own. Published ones have what a
//! registry shows.

use super::{Finding, text_of};
use crate::{
    packages::readme,
    workspace::{Package, TextFile},
};

/// Lines that each manifest must have.
const REQUIRED: &[&str] = &[
    "edition.workspace = true",
    "license.workspace = true",
    "rust-version",
    "[lints]\nworkspace = true",
];

/// Lines that the manifest of a published package must have.
const PUBLISHED: &[&str] = &[
    "description = ",
    "keywords",
    "categories",
    "[package.metadata.docs.rs]\nall-features = true",
];

/// Files in the folder of a published package.
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// The README of each published library is its documentation, and its folder has the
/// licences.
pub(super) fn check_published(packages: &[Package], files: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages.iter().filter(|package| package.published) {
        for licence in LICENCES {
            let path = format!("{}/{licence}", package.folder);
            if text_of(files, &path).is_none() {
                findings.push(Finding::error(path, 0, "link it to that of the root"));
            }
        }
    }
    for (path, expected) in readme::expected(packages, files) {
        if text_of(files, &path) != Some(&*expected) {
            let message = "it is not what src/lib.rs gives: run `cargo xtask readme`";
            findings.push(Finding::error(path, 0, message));
        }
    }
    findings
}

pub(super) fn check(packages: &[Package], files: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        let path = format!("{}/Cargo.toml", package.folder);
        let text = text_of(files, &path).unwrap_or_default();
        let published = PUBLISHED.iter().filter(|_| package.published);
        for required in REQUIRED.iter().chain(published) {
            if !text.contains(required) {
                let message = format!("`{}` is missing", required.replace('\n', " "));
                findings.push(Finding::error(&path, 0, message));
            }
        }
        if let Some(folder) = package.folder.strip_prefix("crates/")
            && folder != package.name
        {
            let message = format!("the package {} lies in another folder", package.name);
            findings.push(Finding::error(&path, 0, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{PUBLISHED, REQUIRED, check, check_published};
    use crate::workspace::{Package, TextFile};

    fn found(name: &str, text: &str) -> Vec<String> {
        let package = Package {
            folder: "crates/fantail-a".to_owned(),
            ..Package::named(name)
        };
        let manifest = TextFile::new("crates/fantail-a/Cargo.toml", text);
        let findings = check(&[package], &[manifest]);
        findings
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn what_is_inherited_is_required() {
        let whole = [REQUIRED, PUBLISHED].concat().join("\n");
        assert_eq!(found("fantail-a", &whole), Vec::<String>::new());
        let without_lints = whole.replace("[lints]", "");
        assert_eq!(
            found("fantail-a", &without_lints),
            ["`[lints] workspace = true` is missing"]
        );
        assert_eq!(
            found("fantail-b", &whole),
            ["the package fantail-b lies in another folder"]
        );
    }

    #[test]
    fn a_published_package_has_its_licences_and_its_readme() {
        let source = TextFile::new("crates/fantail-a/src/lib.rs", "//! A.\n");
        let package = Package::named("fantail-a");
        let findings = check_published(&[package], &[source]);
        let paths: Vec<&str> = findings.iter().map(|finding| &*finding.path).collect();
        assert_eq!(
            paths,
            [
                "crates/fantail-a/LICENSE-APACHE",
                "crates/fantail-a/LICENSE-MIT",
                "crates/fantail-a/README.md"
            ]
        );
        let private = Package {
            published: false,
            ..Package::named("fantail-a")
        };
        assert_eq!(check_published(&[private], &[]), []);
    }
}
