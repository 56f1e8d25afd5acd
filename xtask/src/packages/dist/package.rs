//! The Debian package, the tarball, and their checksums.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{emptied, output, silently, stage::Stage};
use crate::{error::Error, tools, workspace::Workspace};

/// The files and folders of the repository that the tarball contains.
const DOCUMENTS: [&str; 6] = [
    "README.md",
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "contrib",
    "docs",
];

/// Makes the Debian package from the metadata of `fantail-cli`, or a package of another
/// version, with larger contents.
pub(super) fn debian(
    workspace: &Workspace,
    stage: &Stage,
    folder: &Path,
    version: Option<&str>,
) -> Result<PathBuf, Error> {
    if !tools::has_cargo_command(workspace, "deb") {
        return Err(Error::new("no cargo-deb: cargo install --locked cargo-deb"));
    }
    fs::create_dir_all(folder).map_err(Error::at("make", folder))?;
    let mut cargo = workspace.cargo(["deb", "--quiet", "--no-build", "--no-strip"]);
    cargo.args([
        "--package",
        "fantail-cli",
        "--maintainer",
        &stage.maintainer,
    ]);
    cargo.arg("--output").arg(folder);
    if let Some(version) = version {
        cargo.args(["--fast", "--deb-version", version]);
    }
    cargo.env("CARGO_TARGET_DIR", &stage.target);
    cargo.env("SOURCE_DATE_EPOCH", stage.epoch.to_string());
    let said = output(&mut cargo)?;
    let path = said.lines().last().map(PathBuf::from);
    path.filter(|path| path.is_file())
        .ok_or_else(|| Error::new(format!("cargo deb names no package:\n{said}")))
}

/// Checks the package with lintian, if it is installed.
pub(super) fn lint(package: &Path) -> Result<(), Error> {
    let mut lintian = Command::new("lintian");
    lintian.args(["--allow-root", "--fail-on", "error,warning"]);
    match lintian.arg("--version").output() {
        Err(_) => {
            println!("left out: lintian is not installed");
            Ok(())
        }
        Ok(_) => {
            let mut lintian = Command::new("lintian");
            lintian.args(["--allow-root", "--fail-on", "error,warning"]);
            silently(lintian.arg(package))
        }
    }
}

/// Packs the static program with documentation and `contrib`.
pub(super) fn tarball(
    workspace: &Workspace,
    stage: &Stage,
    folder: &Path,
) -> Result<PathBuf, Error> {
    let name = format!("fantail-{}-x86_64-linux-musl", env!("CARGO_PKG_VERSION"));
    let content = stage.target.join(&name);
    emptied(&content)?;
    let mut copy = workspace.command("cp");
    copy.arg("-r").args(DOCUMENTS);
    for name in ["fantail", "man", "completions", "fantail.cdx.json"] {
        copy.arg(stage.files.join(name));
    }
    silently(copy.arg(&content))?;
    let path = folder.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner"]);
    tar.args(["--mode=go=rX,u+rw,a-s", "--use-compress-program=gzip -n9"]);
    tar.arg(format!("--mtime=@{}", stage.epoch));
    tar.arg("-cf").arg(&path).arg("-C").arg(&stage.target);
    silently(tar.arg(&name))?;
    Ok(path)
}

/// Writes `SHA256SUMS` of the files; returns all files to publish.
pub(super) fn checksums(folder: &Path, files: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let names = files.iter().filter_map(|file| file.file_name());
    let mut sum = Command::new("sha256sum");
    let sums = output(sum.current_dir(folder).args(names))?;
    let path = folder.join("SHA256SUMS");
    fs::write(&path, sums).map_err(Error::at("write", &path))?;
    let mut all = files.to_vec();
    all.push(path);
    Ok(all)
}
