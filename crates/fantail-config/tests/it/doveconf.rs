//! The installed Dovecot takes the good files and refuses the bad ones.
//!
//! A bad file that begins with a comment `doveconf accepts this file` is one
//! that only Dovecot's stats process refuses, or that Dovecot takes and we do
//! not. The shapes of configurations that people run are read by the Dovecot of
//! the series that they are for. A Dovecot 2.4 in a folder of its own is looked
//! for in the folder that `DOVECOT_2_4_ROOT` names.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use fantail_config::{
    internal::{EXTENSIONS, extension_mentions},
    version_lines,
};
use fantail_event::Dialect;
use fantail_format::Format;

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
    let mentions = |path: &Path| {
        let dialect = (version == "2.3").then_some(Dialect::V2_3);
        let loaded = crate::load_file(path, dialect);
        extension_mentions(&loaded.raw, loaded.settings.dialect).len()
    };
    for path in crate::configurations(&format!("{version}/good")) {
        assert!(doveconf.accepts(&path), "{} is refused", path.display());
        assert_eq!(mentions(&path), 0, "{}", path.display());
    }
    // What only fantail knows.
    for path in crate::configurations(&format!("{version}/fantail")) {
        assert!(!doveconf.accepts(&path), "{} is taken", path.display());
        assert!(mentions(&path) > 0, "{}", path.display());
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
    extension_settings_are_refused(&doveconf);
}

/// Metrics with and without what only fantail knows; the exporter is called `a`.
fn metrics(exporter: &str) -> Vec<String> {
    let metric = |setting: &str| format!("metric a {{\n  filter = event=x\n{setting}}}\n");
    let own = [
        "",
        "declare = x:1\n",
        "expose = no\n",
        "series_limit = 10\n",
    ];
    let mut texts: Vec<String> = own.map(metric).into();
    let called = |name: &str| {
        let named = format!("event_exporter {name}");
        exporter.replacen("event_exporter a", &named, 1)
    };
    let three = [called("a"), called("b"), called("\"a b\"")];
    for (exporters, names) in [
        (&three[..2], "a"),
        (&three[..2], "a b"),
        (&three[..], "a b"),
    ] {
        texts.push(exporters.concat() + &metric(&format!("exporter = {names}\n")));
    }
    texts
}

/// What is said to be only ours Dovecot refuses, and nothing else of this.
fn extension_settings_are_refused(doveconf: &Doveconf) {
    let old = doveconf.version == "2.3";
    let (head, target, time, dialect) = if old {
        let time = "format_args = time-rfc3339";
        (Vec::new(), "transport", time, Dialect::V2_3)
    } else {
        let time = "time_format = rfc3339";
        (
            version_lines(None).into_bytes(),
            "driver",
            time,
            Dialect::V2_4,
        )
    };
    let exporter = |format: &str, to: &str, more: &str| {
        let body = format!("format = {format}\n  {time}\n  {target} = {to}\n  {more}\n");
        format!("event_exporter a {{\n  {body}}}\n")
    };
    let mut texts = metrics(&exporter("json", "log", ""));
    texts.push("fantail {\n}\n".to_owned());
    let group_by = |field: &str, method: &str| match old {
        true => format!("metric a {{\n  filter = event=x\n  group_by = {field}:{method}\n}}\n"),
        false => {
            let method = format!("method {method} {{\n    }}\n");
            let level = format!("group_by {field} {{\n    {method}  }}\n");
            format!("metric a {{\n  filter = event=x\n  {level}}}\n")
        }
    };
    for (field, method) in [("x", "discrete"), ("x", "top"), ("top", "discrete")] {
        texts.push(group_by(field, method));
    }
    for (format, _) in Format::NAMES {
        texts.push(exporter(format, "log", ""));
    }
    for to in ["log", "drop", "file", "unix", "syslog", "journal"] {
        texts.push(exporter("json", to, ""));
    }
    let settings = ["file_path", "unix_path"].iter().chain(EXTENSIONS);
    texts.extend(settings.map(|name| exporter("json", "log", &format!("{name} = 1"))));
    texts.push(exporter("json", "log", "unix_connect_timeout = 5 secs"));
    if !old {
        texts.push(exporter("json", "log", "fields_deny {\n    a = yes\n  }"));
        let group = exporter("json", "log", "sample = 10");
        texts.push(format!("group @metric_defaults own {{\n{group}}}\n"));
        for key in [
            "event_exporter_sample",
            "metric_declare",
            "metric_expose",
            "metric_series_limit",
            "fantail_exemplars",
        ] {
            texts.push(format!("{key} = x\n"));
        }
    }
    let texts = texts.iter();
    let refused: usize = texts
        .map(|text| check_refusal(doveconf, dialect, &head, text))
        .sum();
    assert!(refused > EXTENSIONS.len(), "{refused}");
}

/// Checks that doveconf refuses a text that mentions something of ours, and no other;
/// returns the number of mentions.
#[track_caller]
fn check_refusal(doveconf: &Doveconf, dialect: Dialect, head: &[u8], text: &str) -> usize {
    let whole = [head, text.as_bytes()].concat();
    let loaded = crate::read(dialect, whole.clone());
    let mentions = extension_mentions(&loaded.raw, dialect);
    let file = doveconf.place("own.conf", &whole);
    let refusal = doveconf.refusal(&file);
    std::fs::remove_file(doveconf.outside(&file)).unwrap();
    assert_eq!(refusal.is_some(), !mentions.is_empty(), "{text}{refusal:?}");
    mentions.len()
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
