//! The pages of `docs/errors/lint`: what they say `fantail` answers, it does.
//!
//! The first example of a page is a configuration, the second a command and its
//! answer, the third, if there is one, a configuration without that finding.
//! With `UPDATE_EXPECT=1` the answers are written anew.

use std::{io::Write, os::unix::fs::PermissionsExt, path::Path};

use fantail::lint::LintCode;

use super::program::{contents, fantail, repository};

/// What is told of a configuration that everybody can read.
fn answer(config: &str, command: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dovecot.conf");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(config.as_bytes()).unwrap();
    let everybody = std::fs::Permissions::from_mode(0o644);
    file.set_permissions(everybody).unwrap();
    let path = path.to_str().unwrap();
    let arguments = command.split(' ').map(|word| match word {
        "dovecot.conf" => path,
        other => other,
    });
    let run = fantail(&arguments.collect::<Vec<_>>(), b"");
    let told = run.err + &String::from_utf8(run.out).unwrap();
    told.replace(path, "dovecot.conf")
}

#[track_caller]
fn check(code: &str, path: &Path) {
    let page = String::from_utf8(contents(path)).unwrap();
    assert!(page.starts_with(&format!("# {code}: ")), "{code}");
    let mut parts: Vec<&str> = page.split("```").collect();
    assert!(matches!(parts.len(), 5 | 7), "{code}");
    let config = parts[1].strip_prefix("text\n").unwrap();
    let transcript = parts[3].strip_prefix("console\n$ fantail ").unwrap();
    let command = transcript.lines().next().unwrap();
    let told = answer(config, command);
    assert!(told.contains(&format!("[{code}]: ")), "{code}: {told}");
    if let Some(good) = parts.get(5) {
        let told = answer(good.strip_prefix("text\n").unwrap(), command);
        assert!(!told.contains("[config/"), "{code}: {told}");
        assert!(!told.contains(&format!("[{code}]")), "{code}: {told}");
    }
    let transcript = format!("console\n$ fantail {command}\n{told}");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        parts[3] = &transcript;
        let mut file = std::fs::File::create(path).unwrap();
        file.write_all(parts.join("```").as_bytes()).unwrap();
    } else {
        assert_eq!(parts[3], transcript, "{code}");
    }
}

#[test]
fn answers() {
    for code in LintCode::ALL {
        let path = repository().join(format!("docs/errors/{code}.md"));
        check(code.as_str(), &path);
    }
}
