//! Puts the pages of `docs/errors` and the commit into the program.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
};

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    // A link, so that the package has them, too.
    let pages = manifest.join("errors");
    println!("cargo::rerun-if-changed={}", pages.display());
    let mut paths = Vec::new();
    for folder in ["", "config", "doctor", "lint"] {
        collect(&pages.join(folder), folder, &mut paths)?;
    }
    paths.sort();
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut list = fs::File::create(out.join("error_pages.rs"))?;
    writeln!(list, "&[")?;
    for (code, path) in paths {
        writeln!(list, "    ({code:?}, include_str!({path:?})),")?;
    }
    writeln!(list, "]")?;
    println!("cargo::rustc-env=FANTAIL_COMMIT={}", commit(&manifest));
    Ok(())
}

/// The pages of a folder, each with the code that it is about.
fn collect(folder: &Path, prefix: &str, paths: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_stem()
            .map(|name| name.to_string_lossy().into_owned());
        let is_page = path.extension().is_some_and(|extension| extension == "md");
        match name {
            Some(name) if is_page && name != "README" => {
                let code = match prefix {
                    "" => name,
                    prefix => format!("{prefix}/{name}"),
                };
                paths.push((code, path));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The commit of the sources; `unknown` if they are not from a repository.
fn commit(manifest: &Path) -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .current_dir(manifest)
            .args(arguments)
            .output();
        let output = output.ok().filter(|output| output.status.success())?;
        let text = String::from_utf8(output.stdout).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    if let Some(head) = git(&["rev-parse", "--git-path", "HEAD"]) {
        println!("cargo::rerun-if-changed={}", manifest.join(head).display());
    }
    git(&["rev-parse", "--short=10", "HEAD"]).unwrap_or_else(|| "unknown".to_owned())
}
