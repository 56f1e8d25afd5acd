//! The installed Dovecot takes the good files and refuses the bad ones.
//!
//! A bad file that begins with a comment `doveconf accepts this file` is one
//! that only Dovecot's stats process refuses, or that Dovecot takes and we do
//! not. A Dovecot 2.4 in a folder of its own is looked for in the one that
//! `DOVECOT_2_4_ROOT` names.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

struct Doveconf {
    version: String,
    /// The folder that it takes for `/`.
    root: Option<PathBuf>,
}

impl Doveconf {
    fn command(root: Option<&Path>, program: &str) -> Command {
        match root {
            None => Command::new(program),
            Some(root) => {
                let mut command = Command::new("chroot");
                command.arg(root).arg(program);
                command
            }
        }
    }

    fn find(root: Option<PathBuf>) -> Option<Self> {
        let output = Self::command(root.as_deref(), "dovecot")
            .arg("--version")
            .output()
            .ok()?;
        let version = String::from_utf8(output.stdout).ok()?;
        let version = version
            .get(..3)
            .filter(|_| output.status.success())?
            .to_owned();
        Some(Self { version, root })
    }

    fn accepts(&self, path: &Path) -> bool {
        let path = match &self.root {
            None => path.canonicalize().unwrap(),
            Some(root) => {
                let name = format!("tmp/fantail-config-test-{}.conf", std::process::id());
                std::fs::copy(path, root.join(&name)).unwrap();
                Path::new("/").join(name)
            }
        };
        let mut command = Self::command(self.root.as_deref(), "doveconf");
        let output = command
            .args(["-x", "-n", "-c"])
            .arg(&path)
            .output()
            .unwrap();
        if let Some(root) = &self.root {
            std::fs::remove_file(root.join(path.strip_prefix("/").unwrap())).unwrap();
        }
        output.status.success()
    }
}

fn compare(version: &str, root: Option<PathBuf>) {
    let doveconf = Doveconf::find(root).filter(|doveconf| doveconf.version == version);
    let Some(doveconf) = doveconf else {
        fantail_testkit::skip(&format!("doveconf {version} is not installed"));
        return;
    };
    for path in crate::configurations(&format!("{version}/good")) {
        assert!(doveconf.accepts(&path), "{} is refused", path.display());
    }
    // What only fantail knows.
    for path in crate::configurations(&format!("{version}/fantail")) {
        assert!(!doveconf.accepts(&path), "{} is taken", path.display());
    }
    for path in crate::configurations(&format!("{version}/bad")) {
        let text = std::io::read_to_string(std::fs::File::open(&path).unwrap());
        let text = text.unwrap_or_default();
        let differs = text
            .lines()
            .any(|line| line == "# doveconf accepts this file.");
        assert_eq!(doveconf.accepts(&path), differs, "{}", path.display());
    }
}

#[test]
fn dovecot_2_3() {
    compare("2.3", None);
}

#[test]
fn dovecot_2_4() {
    let root = std::env::var_os("DOVECOT_2_4_ROOT").map(PathBuf::from);
    compare("2.4", root);
}
