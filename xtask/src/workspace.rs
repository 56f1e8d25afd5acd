//! The repository as the tasks see it: its packages (from `cargo metadata`)
//! and its files (from git where it is there, else from the folders).

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::error::Error;

/// The repository.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    /// The packages that belong to the main workspace.
    pub(crate) packages: Vec<Package>,
}

/// A package of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// The folder of its manifest, relative to the root.
    pub(crate) folder: String,
    /// The names of the packages in this repository that it uses, except
    /// in its tests, examples and benchmarks.
    pub(crate) uses: Vec<String>,
    /// The oldest Rust that it builds with: `1.89`.
    pub(crate) rust: String,
    /// Its features, without `default`.
    pub(crate) features: Vec<String>,
    /// Whether it may be published.
    pub(crate) published: bool,
}

/// A text file of the repository.
#[derive(Debug)]
pub(crate) struct TextFile {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

#[cfg(test)]
impl Package {
    /// Returns a package of `crates/` without dependencies, for tests.
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            folder: format!("crates/{name}"),
            rust: String::new(),
            uses: Vec::new(),
            features: Vec::new(),
            published: true,
        }
    }
}

#[cfg(test)]
impl TextFile {
    /// Returns a file with this text, for tests.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }
}

impl Workspace {
    /// The workspace that this program was built in.
    pub(crate) fn find() -> Result<Self, Error> {
        // Set by `cargo run` too: a target folder may be shared by several
        // checkouts, and then the place of the build is not that of the run.
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest
            .parent()
            .ok_or_else(|| Error::new("the manifest of xtask has no parent folder"))?
            .to_path_buf();
        let metadata = metadata(&root.join("Cargo.toml"))?;
        let target = PathBuf::from(text(&metadata, "target_directory")?);
        let packages = list(&metadata, "packages")?
            .iter()
            .map(|package| Package::read(package, &root))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            root,
            target,
            packages,
        })
    }

    /// The folder of the workspace's manifest.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo builds.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The part of it that is ours to write to.
    pub(crate) fn logs(&self) -> PathBuf {
        self.target.join("xtask")
    }

    /// The names of the fuzz targets: the programs of the package in `fuzz/`.
    pub(crate) fn fuzz_targets(&self) -> Result<Vec<String>, Error> {
        let metadata = metadata(&self.root.join("fuzz/Cargo.toml"))?;
        let mut names = Vec::new();
        for package in list(&metadata, "packages")? {
            for target in list(package, "targets")? {
                if list(target, "kind")?.iter().any(|kind| kind == "bin") {
                    names.push(text(target, "name")?.to_owned());
                }
            }
        }
        Ok(names)
    }

    /// A command that runs in the root.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// The cargo that runs this program, with these arguments, in the root.
    pub(crate) fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(cargo_program());
        command.current_dir(&self.root).args(arguments);
        // What cargo told this program of its own package is not meant for
        // others: some are built anew when it changes.
        let own =
            |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(own) {
                command.env_remove(name);
            }
        }
        command
    }

    /// Builds the program in release mode, and returns its path.
    pub(crate) fn release_build(&self) -> Result<PathBuf, Error> {
        let mut command = self.cargo(["build", "--quiet", "--release", "--package", "fantail-cli"]);
        let status = command
            .status()
            .map_err(|error| Error::new(format!("cannot run cargo: {error}")))?;
        if !status.success() {
            return Err(Error::new("the release build failed"));
        }
        Ok(self.target.join("release/fantail"))
    }

    /// Writes those of these files that have another text, by their paths, and names them.
    pub(crate) fn write_changed(
        &self,
        files: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), Error> {
        for (path, text) in files {
            let full = self.root().join(&path);
            if fs::read_to_string(&full).is_ok_and(|old| old == text) {
                continue;
            }
            fs::write(&full, text).map_err(Error::at("write", &full))?;
            println!("{path} is written");
        }
        Ok(())
    }

    /// All text files that are or could be committed, in the order of their
    /// paths.
    pub(crate) fn text_files(&self) -> Result<Vec<TextFile>, Error> {
        let mut paths = self.git_files().map_or_else(
            || {
                let mut found = Vec::new();
                walk(&self.root, &self.root, &mut found).map(|()| found)
            },
            Ok,
        )?;
        paths.sort_unstable();
        let mut files = Vec::new();
        for path in paths {
            let full = self.root.join(&path);
            // Deleted in the working tree only: git still lists it.
            if !full.is_file() {
                continue;
            }
            let bytes = fs::read(&full).map_err(Error::at("read", &full))?;
            // What is not UTF-8 is no text that a person wrote.
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(TextFile { path, text });
            }
        }
        Ok(files)
    }

    fn git_files(&self) -> Option<Vec<String>> {
        let listed = self
            .command("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        let names = String::from_utf8(listed.stdout).ok()?;
        let names = names.split_terminator('\0').map(str::to_owned);
        Some(names.collect())
    }
}

impl Package {
    fn read(package: &Value, root: &Path) -> Result<Self, Error> {
        let manifest = Path::new(text(package, "manifest_path")?);
        let folder = manifest
            .parent()
            .and_then(|folder| folder.strip_prefix(root).ok())
            .and_then(Path::to_str)
            .ok_or_else(|| Error::new(format!("{} is not below the root", manifest.display())))?;
        let mut uses = Vec::new();
        for dependency in list(package, "dependencies")? {
            let ours = dependency.get("path").is_some_and(Value::is_string);
            let for_tests = dependency.get("kind").is_some_and(|kind| kind == "dev");
            if ours && !for_tests {
                uses.push(text(dependency, "name")?.to_owned());
            }
        }
        let features = package.get("features").and_then(Value::as_object);
        let features = features.into_iter().flat_map(|features| features.keys());
        let features = features.filter(|name| *name != "default");
        Ok(Self {
            name: text(package, "name")?.to_owned(),
            folder: folder.to_owned(),
            uses,
            rust: text(package, "rust_version")?.to_owned(),
            features: features.cloned().collect(),
            // An empty list of registries is `publish = false`.
            published: package.get("publish").is_none_or(Value::is_null),
        })
    }
}

fn cargo_program() -> std::ffi::OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// What `cargo metadata` says of one workspace's own packages.
fn metadata(manifest: &Path) -> Result<Value, Error> {
    let output = Command::new(cargo_program())
        .args(["metadata", "--format-version=1", "--no-deps"])
        .arg("--manifest-path")
        .arg(manifest)
        .output()
        .map_err(|error| Error::new(format!("cannot run cargo: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(format!("cargo metadata: {}", said.trim_end())));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Error::new(format!("cargo metadata: {error}")))
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, Error> {
    value
        .get(key)
        .and_then(Value::as_str)
        .ok_or_else(|| Error::new(format!("cargo metadata: no text in {key}")))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], Error> {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .ok_or_else(|| Error::new(format!("cargo metadata: no list in {key}")))
}

/// All files below `folder`, except what a build or a tool leaves there.
fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::at("list", folder))? {
        let path = entry.map_err(Error::at("list", folder))?.path();
        let Some(relative) = path.strip_prefix(root).ok().and_then(Path::to_str) else {
            continue;
        };
        let name = relative.rsplit('/').next().unwrap_or(relative);
        let left_by_tools = [".git", "target", "mutants.out", "mutants.out.old"].contains(&name)
            || ["fuzz/corpus", "fuzz/artifacts", "fuzz/coverage"].contains(&relative);
        if left_by_tools || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, found)?;
        } else {
            found.push(relative.to_owned());
        }
    }
    Ok(())
}
