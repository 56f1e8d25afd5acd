//! Manifests: each package is named like its folder, and takes the lints,
//! edition and licence of the workspace instead of its own.

use super::{Finding, text_of};
use crate::workspace::{Package, TextFile};

/// Lines that each manifest must have.
const REQUIRED: &[&str] = &[
    "edition.workspace = true",
    "license.workspace = true",
    "rust-version",
    "[lints]\nworkspace = true",
];

pub(super) fn check(packages: &[Package], files: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        let path = format!("{}/Cargo.toml", package.folder);
        let text = text_of(files, &path).unwrap_or_default();
        for required in REQUIRED {
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
    use super::{REQUIRED, check};
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
        let whole = REQUIRED.join("\n");
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
}
