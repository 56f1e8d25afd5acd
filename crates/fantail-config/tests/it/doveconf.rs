//! The installed Dovecot takes the good files and refuses the bad ones.
//!
//! A bad file that begins with a comment `doveconf accepts this file` is one
//! that only Dovecot's stats process refuses, or that Dovecot takes and we do
//! not. The shapes of configurations that people run are read by the Dovecot of
//! the series that they are for. A Dovecot 2.4 in a folder of its own is looked
//! for in the one that `DOVECOT_2_4_ROOT` names.

use std::{
    io::Write,
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
            Some(_) => self.place("test.conf", &contents(path)),
        };
        let refusal = self.refusal(&path);
        if self.root.is_some() {
            std::fs::remove_file(self.outside(&path)).unwrap();
        }
        refusal.is_none()
    }

    /// Writes a file where it can be read; gives its name as doveconf sees it.
    fn place(&self, name: &str, text: &[u8]) -> PathBuf {
        let name = format!("tmp/fantail-config-{}-{name}", std::process::id());
        let path = Path::new("/").join(name);
        let mut file = std::fs::File::create(self.outside(&path)).unwrap();
        file.write_all(text).unwrap();
        path
    }

    /// The name that we have for what doveconf calls so.
    fn outside(&self, path: &Path) -> PathBuf {
        match &self.root {
            None => path.to_owned(),
            Some(root) => root.join(path.strip_prefix("/").unwrap()),
        }
    }

    /// What it says if it refuses a file.
    fn refusal(&self, path: &Path) -> Option<String> {
        let mut command = Self::command(self.root.as_deref(), "doveconf");
        let output = command.args(["-x", "-n", "-c"]).arg(path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (!output.status.success()).then_some(said)
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
    shapes(&doveconf);
}

/// The shapes that people run are for this version and good for it, not only
/// for us.
fn shapes(doveconf: &Doveconf) {
    let file = doveconf.place("any-file", b"x");
    let mut read = 0;
    for path in crate::configurations("shapes") {
        let text = String::from_utf8(contents(&path)).unwrap();
        let is_2_4 =
            text.starts_with("dovecot_config_version") || text.contains("\ndovecot_config_version");
        if is_2_4 != (doveconf.version == "2.4") {
            continue;
        }
        let lines = text.lines().filter_map(|line| at_home(line, &file));
        let text: String = lines.map(|line| line + "\n").collect();
        let copy = doveconf.place("shape.conf", text.as_bytes());
        assert_eq!(doveconf.refusal(&copy), None, "{}", path.display());
        std::fs::remove_file(doveconf.outside(&copy)).unwrap();
        read += 1;
    }
    std::fs::remove_file(doveconf.outside(&file)).unwrap();
    assert!(read >= 3, "{read} shapes for {}", doveconf.version);
}

/// A line without what only the machine it was made for has: its files, its
/// users, its packages. None of it is in blocks of ours.
fn at_home(line: &str, file: &Path) -> Option<String> {
    let Some((key, value)) = line.split_once('=') else {
        return Some(line.to_owned());
    };
    let file = file.display();
    match key.trim() {
        "default_internal_user" | "default_internal_group" | "default_login_user" => None,
        "protocols" => Some(format!("{key}={}", value.replace(" sieve", ""))),
        "cert_file" | "key_file" => Some(format!("{key}= {file}")),
        _ if value.trim_start().starts_with('<') => Some(format!("{key}= <{file}")),
        _ => Some(line.to_owned()),
    }
}

#[allow(clippy::disallowed_methods, reason = "test data")]
fn contents(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
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
