//! The stage: a folder with the generated files of the packages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{emptied, output, silently};
use crate::{error::Error, workspace::Workspace};

/// A filled folder.
#[derive(Debug)]
pub(super) struct Stage {
    /// The folder that cargo-deb uses as `target`.
    pub(super) target: PathBuf,
    /// The folder of the files, which cargo-deb uses as `target/release`.
    pub(super) files: PathBuf,
    /// The modification time of files in packages.
    pub(super) epoch: u64,
    /// The name and address of the package's maintainer.
    pub(super) maintainer: String,
}

/// The maintainer of a package that is not published, as in the manifest of
/// `fantail-cli`.
pub(super) const NO_MAINTAINER: &str = "fantail maintainers <maintainers@fantail.invalid>";

/// Shells, each with the name of its completion script.
const SHELLS: [(&str, &str); 3] = [
    ("bash", "fantail.bash"),
    ("zsh", "_fantail"),
    ("fish", "fantail.fish"),
];

impl Stage {
    /// Writes the manual pages, completions, changelogs and the list of components.
    pub(super) fn fill(
        workspace: &Workspace,
        target: &Path,
        program: &Path,
        epoch: u64,
        maintainer: &str,
    ) -> Result<Self, Error> {
        emptied(target)?;
        let stage = Self {
            target: target.to_owned(),
            files: target.join("release"),
            epoch,
            maintainer: maintainer.to_owned(),
        };
        let (man, completions) = (stage.files.join("man"), stage.files.join("completions"));
        for folder in [&man, &completions] {
            fs::create_dir_all(folder).map_err(Error::at("make", folder))?;
        }
        let own = stage.files.join("fantail");
        silently(Command::new("strip").arg("-o").arg(&own).arg(program))?;
        silently(Command::new(&own).arg("man").arg(&man))?;
        for (shell, name) in SHELLS {
            let script = output(Command::new(&own).args(["completions", shell]))?;
            write(&completions.join(name), &script)?;
        }
        stage.changelogs(workspace)?;
        stage.components(workspace)?;
        stage.compress(&man)?;
        Ok(stage)
    }

    /// Writes the changelog of fantail and that of the Debian package.
    fn changelogs(&self, workspace: &Workspace) -> Result<(), Error> {
        let upstream = workspace.root().join("CHANGELOG.md");
        let own = self.files.join("changelog");
        fs::copy(&upstream, &own).map_err(Error::at("copy", &upstream))?;
        let version = env!("CARGO_PKG_VERSION");
        let mut date = Command::new("date");
        date.args(["--utc", "--rfc-email", "--date"]);
        let date = output(date.arg(format!("@{}", self.epoch)).env("LC_ALL", "C"))?;
        let entry = format!(
            "fantail ({version}-1) unstable; urgency=medium\n\n  \
             * fantail {version}: see changelog.gz for what is new.\n\n \
             -- {}  {}\n",
            self.maintainer,
            date.trim_end()
        );
        let debian = self.files.join("changelog.Debian");
        write(&debian, &entry)?;
        compress(&own)?;
        compress(&debian)
    }

    /// Writes the list of components (SBOM) in CycloneDX.
    ///
    /// cargo-cyclonedx writes a file beside each manifest, so it runs in a copy of the
    /// sources.
    fn components(&self, workspace: &Workspace) -> Result<(), Error> {
        let sources = self.target.join("sources");
        emptied(&sources)?;
        let archive = self.target.join("sources.tar");
        let mut git = workspace.command("git");
        silently(git.arg("archive").arg("-o").arg(&archive).arg("HEAD"))?;
        let mut tar = Command::new("tar");
        silently(tar.arg("-xf").arg(&archive).arg("-C").arg(&sources))?;
        let mut cargo = workspace.cargo(["cyclonedx", "--quiet", "--format", "json"]);
        cargo.args(["--spec-version", "1.5", "--no-build-deps"]);
        cargo.args(["--override-filename", "sbom", "--manifest-path"]);
        cargo.arg(sources.join("crates/fantail-cli/Cargo.toml"));
        cargo.env("SOURCE_DATE_EPOCH", self.epoch.to_string());
        silently(&mut cargo)?;
        let list = sources.join("crates/fantail-cli/sbom.json");
        let text = fs::read_to_string(&list).map_err(Error::at("read", &list))?;
        // The names of the repository's crates contain the folder of the copy.
        let text = text.replace(&format!("file://{}", sources.display()), "file://");
        write(&self.files.join("fantail.cdx.json"), &text)
    }

    /// Copies the list of components to a folder.
    pub(super) fn list(&self, folder: &Path) -> Result<PathBuf, Error> {
        let name = "fantail.cdx.json";
        let (from, to) = (self.files.join(name), folder.join(name));
        fs::copy(&from, &to).map_err(Error::at("copy", &from))?;
        Ok(to)
    }

    fn compress(&self, man: &Path) -> Result<(), Error> {
        for page in fs::read_dir(man).map_err(Error::at("list", man))? {
            compress(&page.map_err(Error::at("list", man))?.path())?;
        }
        Ok(())
    }
}

/// Compresses a file in place, without time and name, for reproducible builds.
fn compress(file: &Path) -> Result<(), Error> {
    silently(Command::new("gzip").args(["-n", "-9"]).arg(file))
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(Error::at("write", path))
}
