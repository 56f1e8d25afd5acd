//! `doveadm stats` of an installed Dovecot, unchanged, against our socket.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use fantail_testkit::{program, skip};

use crate::fixture::{ALL, Fixture, event};

/// A `doveadm`, and the root of its system.
struct Doveadm {
    program: PathBuf,
    root: Option<PathBuf>,
    version_lines: &'static str,
}

impl Doveadm {
    /// The installed one.
    fn installed() -> Option<Self> {
        Some(Self {
            program: program("doveadm")?,
            root: None,
            version_lines: "",
        })
    }

    /// That of 2.4, in a folder of its own.
    fn of_2_4() -> Option<Self> {
        let Some(root) = env::var_os("DOVECOT_2_4_ROOT").map(PathBuf::from) else {
            skip("no Dovecot 2.4 is here (DOVECOT_2_4_ROOT)");
            return None;
        };
        Some(Self {
            program: "/usr/bin/doveadm".into(),
            root: Some(root),
            version_lines: "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n",
        })
    }

    fn folder(&self) -> tempfile::TempDir {
        let temporary = Path::new("/tmp");
        let folder = match &self.root {
            Some(root) => tempfile::tempdir_in(root.join("tmp")),
            None => tempfile::tempdir_in(temporary),
        };
        let folder = folder.unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        folder
    }

    /// Standard output and error of a command; the folder as it sees it.
    fn run(&self, folder: &Path, arguments: &[&str]) -> (String, String) {
        let (mut command, folder) = match &self.root {
            Some(root) => {
                let mut command = Command::new("chroot");
                command.arg(root).arg(&self.program);
                (
                    command,
                    Path::new("/").join(folder.strip_prefix(root).unwrap()),
                )
            }
            None => (Command::new(&self.program), folder.to_owned()),
        };
        let configuration = folder.join("dovecot.conf");
        let output = command
            .arg("-c")
            .arg(configuration)
            .arg("stats")
            .args(arguments);
        let output = output.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    }
}

fn check(doveadm: &Doveadm) {
    let folder = doveadm.folder();
    let run = folder.path().join("run");
    let seen = match &doveadm.root {
        Some(root) => Path::new("/").join(run.strip_prefix(root).unwrap()),
        None => run,
    };
    let configuration = format!(
        "{}base_dir = {}\nlog_path = /dev/stderr\n",
        doveadm.version_lines,
        seen.display()
    );
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    fs::write(folder.path().join("dovecot.conf"), configuration).unwrap();
    let fixture = Fixture::within(folder, ALL, |_| {});
    let folder = fixture.folder.path();
    fixture.send(&(event("a", 10) + &event("a", 30)));
    let stats = |arguments: &[&str]| doveadm.run(folder, arguments);

    let table = "metric_name\tfield\tcount\tsum\tmin\tmax\tavg\tmedian\tstddev\t%95\n\
        all\tduration\t2\t0\t0\t0\t0.00\t0\t0.00\t0\n\
        all\tx\t2\t40\t10\t30\t20.00\t20\t10.00\t30\n";
    assert_eq!(stats(&["dump"]), (table.to_owned(), String::new()));
    let added = stats(&["add", "--fields", "x", "--group-by", "x", "mine", "event=b"]);
    assert_eq!(added, (String::new(), String::new()));
    fixture.send(&event("b", 5));
    let (dumped, _) = stats(&["dump", "-f", "count sum"]);
    assert_eq!(
        dumped,
        "metric_name\tfield\tcount\tsum\nall\tduration\t3\t0\nall\tx\t3\t45\n\
         mine\tduration\t1\t0\nmine\tx\t1\t5\nmine_5\tduration\t1\t0\nmine_5\tx\t1\t5\n"
    );
    let (_, error) = stats(&["add", "mine", "event=b"]);
    assert!(
        error.contains("METRICS-ADD: Metric already exists"),
        "{error}"
    );
    let (_, error) = stats(&["add", "--exporter", "nobody", "more", "event=b"]);
    assert!(error.contains("no exporter is called `nobody`"), "{error}");
    assert_eq!(stats(&["remove", "mine"]), (String::new(), String::new()));
    let (_, error) = stats(&["remove", "mine"]);
    assert!(error.contains("metrics 'mine' not found"), "{error}");
    assert!(stats(&["dump", "-r"]).0.contains("all\tduration\t3\t"));
    assert!(stats(&["dump"]).0.contains("all\tduration\t0\t"));
    if doveadm.root.is_some() {
        assert_eq!(stats(&["reopen"]), (String::new(), String::new()));
    }
}

#[test]
fn doveadm_2_3_works_unchanged() {
    if let Some(doveadm) = Doveadm::installed() {
        check(&doveadm);
    }
}

#[test]
fn doveadm_2_4_works_unchanged() {
    if let Some(doveadm) = Doveadm::of_2_4() {
        check(&doveadm);
    }
}
