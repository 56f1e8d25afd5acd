//! What users outside this repository do: packages, WebAssembly, and a program made from
//! the lines of a README.

use std::{fs, path::Path};

use crate::{
    error::Error,
    steps::{Outcome, Steps},
    tools,
    workspace::Workspace,
};

/// The README whose lines make a program.
const README: &str = "crates/fantail-tracing/README.md";

/// Packages all that is published, as `cargo publish` does.
pub(crate) fn package(workspace: &Workspace, steps: &Steps) -> Outcome {
    let mut command = workspace.cargo(["package", "--no-verify", "--offline", "--allow-dirty"]);
    let published = workspace
        .packages
        .iter()
        .filter(|package| package.published);
    for package in published.clone() {
        command.args(["--package", &package.name]);
    }
    match steps.run("package", [command]) {
        Outcome::Passed(_) => Outcome::Passed(format!("{} packages", published.count())),
        outcome => outcome,
    }
}

/// Builds the example for WebAssembly.
pub(crate) fn wasm(workspace: &Workspace, steps: &Steps) -> Outcome {
    let target = tools::WASM_TARGET;
    if !tools::has_target(workspace, target) {
        return Outcome::Optional(format!("no target {target}: rustup target add {target}"));
    }
    let build = [
        "build",
        "--package",
        "fantail-example-wasm",
        "--target",
        target,
    ];
    steps.run("wasm", [workspace.cargo(build)])
}

/// Makes a program of the README's lines in a folder of its own and runs it.
pub(crate) fn readme_program(workspace: &Workspace, steps: &Steps) -> Outcome {
    let folder = workspace.logs().join("readme-program");
    if let Err(error) = write_program(workspace, &folder) {
        return Outcome::Failed(error.to_string());
    }
    // What is built for this workspace is not built again.
    let mut command = workspace.cargo(["run", "--offline", "--quiet"]);
    command.current_dir(&folder);
    command.env("CARGO_TARGET_DIR", workspace.target());
    steps.run("readme-program", [command])
}

fn write_program(workspace: &Workspace, folder: &Path) -> Result<(), Error> {
    let path = workspace.root().join(README);
    let readme = fs::read_to_string(&path).map_err(Error::at("read", &path))?;
    let missing = |language| Error::new(format!("{README} has no lines of {language}"));
    let dependencies = block(&readme, "toml").ok_or_else(|| missing("toml"))?;
    let program = block(&readme, "rust").ok_or_else(|| missing("rust"))?;
    // The versions in this repository instead of those of a registry.
    let patches = workspace.packages.iter().map(|package| {
        let path = workspace.root().join(&package.folder);
        format!(
            "{} = {{ path = {:?} }}\n",
            package.name,
            path.display().to_string()
        )
    });
    let patches: String = patches.collect();
    let manifest = format!(
        "[package]\nname = \"readme-program\"\nedition = \"2024\"\n\n{dependencies}\n\
         [workspace]\n\n[patch.crates-io]\n{patches}"
    );
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(Error::at("write", &path))
    };
    let source = folder.join("src");
    fs::create_dir_all(&source).map_err(Error::at("make", &source))?;
    write("Cargo.toml", &manifest)?;
    write("src/main.rs", program)?;
    let lock = workspace.root().join("Cargo.lock");
    let lock = fs::read_to_string(&lock).map_err(Error::at("read", &lock))?;
    write("Cargo.lock", &lock)
}

/// Returns the first block of code in this language.
fn block<'a>(text: &'a str, language: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("\n```{language}\n"))?;
    rest.split_once("```\n").map(|(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::block;

    #[test]
    fn the_first_block_of_a_language() {
        let text = "a\n\n```toml\nb = 1\n```\n\n```rust\nc();\nd();\n```\n\n```rust\ne();\n```\n";
        assert_eq!(block(text, "toml"), Some("b = 1\n"));
        assert_eq!(block(text, "rust"), Some("c();\nd();\n"));
        assert_eq!(block(text, "text"), None);
    }
}
