//! The configurations that Debian installs are read without an error, with
//! everything they include.

use std::path::PathBuf;

use fantail_config::{FileSystem, LoadError, LoadOptions, Loader, Release, load, load_text};
use fantail_event::Dialect;
use fantail_testkit::dovecot::{Installation, Version};

/// The files under a folder that is taken for `/`.
struct Root(PathBuf);

impl Root {
    fn inside(&self, path: &[u8]) -> Vec<u8> {
        [self.0.to_str().unwrap().as_bytes(), path].concat()
    }
}

impl Loader for Root {
    fn read(&self, path: &[u8], limit: usize) -> Result<Vec<u8>, LoadError> {
        FileSystem.read(&self.inside(path), limit)
    }

    fn expand(&self, pattern: &[u8]) -> Result<Vec<Vec<u8>>, LoadError> {
        let paths = FileSystem.expand(&self.inside(pattern))?;
        let root = self.0.to_str().unwrap().len();
        Ok(paths
            .into_iter()
            .map(|path| path[root..].to_vec())
            .collect())
    }
}

fn check(root: Option<PathBuf>, dialect: Dialect) {
    let path = b"/etc/dovecot/dovecot.conf";
    let root = Root(root.unwrap_or_default());
    let loaded = load(path, &root, &LoadOptions::default());
    if loaded.sources.is_empty() || loaded.settings.dialect != dialect {
        fantail_testkit::skip(&format!(
            "no configuration of Dovecot {dialect} is installed"
        ));
        return;
    }
    assert_eq!(loaded.diagnostics.to_lines(&loaded.sources), "");
    assert!(loaded.sources.len() > 10, "its conf.d is not included");
}

#[test]
fn debian_2_3() {
    check(None, Dialect::V2_3);
}

#[test]
fn debian_2_4() {
    let root = std::env::var_os("DOVECOT_2_4_ROOT").map(PathBuf::from);
    check(root, Dialect::V2_4);
}

/// The metrics of a built-in group, each with its filter and fields, as doveconf
/// shows them.
fn shown_by_doveconf(dovecot: &Installation, root: &str, text: &str) -> Vec<String> {
    let name = format!("tmp/fantail-groups-{}.conf", std::process::id());
    let file = PathBuf::from(root).join(&name);
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    std::fs::write(&file, text).unwrap();
    let mut doveconf = dovecot.command("doveconf");
    let output = doveconf
        .args(["-c", &format!("/{name}"), "metric"])
        .output();
    std::fs::remove_file(&file).unwrap();
    let output = String::from_utf8(output.unwrap().stdout).unwrap();
    let blocks = output.split("metric ").skip(1);
    blocks
        .map(|block| {
            let (name, settings) = block.split_once(' ').unwrap();
            let value = |key: &str| {
                let mut lines = settings.lines();
                lines
                    .find_map(|line| line.trim().strip_prefix(key))
                    .unwrap_or_default()
            };
            let level = value("metric_group_by ").trim_end_matches(" {");
            format!(
                "{name}: {} | {} | {level}",
                value("filter = "),
                value("fields = ")
            )
        })
        .collect()
}

fn read_here(release: Release, text: &str) -> Vec<String> {
    let options = LoadOptions {
        release: Some(release),
        ..LoadOptions::default()
    };
    let loaded = load_text("x", text, &options);
    assert_eq!(loaded.diagnostics.to_lines(&loaded.sources), "");
    let string = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let metrics = loaded.settings.metrics.iter();
    metrics
        .map(|metric| {
            let settings = &metric.settings;
            let levels = settings.group_by.iter().map(|level| string(&level.field));
            format!(
                "{}: {} | {} | {}",
                string(&settings.name),
                string(metric.filter_text.bytes()),
                string(&settings.fields.join(&b' ')),
                levels.collect::<Vec<_>>().join(" ")
            )
        })
        .collect()
}

#[test]
fn built_in_groups_are_those_of_the_release() {
    let Some(dovecot) = Installation::find(Version::V2_4) else {
        return;
    };
    let root = std::env::var("DOVECOT_2_4_ROOT").unwrap();
    let version = dovecot.version_text();
    let release = Release::parse(version.split(' ').next().unwrap()).unwrap();
    for group in ["backend", "proxy"] {
        let text = format!(
            "dovecot_config_version = 2.4.1\ndovecot_storage_version = 2.4.1\n\
             @metric_defaults = {group}\n"
        );
        let real = shown_by_doveconf(&dovecot, &root, &text);
        assert!(real.len() >= 3, "{real:?}");
        assert_eq!(read_here(release, &text), real, "{group} of {release}");
    }
}

/// What `doveconf` of 2.4.1 and of 2.4.5 show.
#[test]
fn established_proxy_sessions_are_counted_since_2_4_2() {
    let count = |version: &str, release: Option<&str>| {
        let text = format!("{version}@metric_defaults = proxy\n");
        let options = LoadOptions {
            dialect: Some(Dialect::V2_4),
            release: release.and_then(Release::parse),
            ..LoadOptions::default()
        };
        load_text("x", text, &options).settings.metrics.len()
    };
    assert_eq!(count("dovecot_config_version = 2.4.1\n", None), 3);
    assert_eq!(count("dovecot_config_version = 2.4.2\n", None), 4);
    // The release that is given counts, as it does for Dovecot.
    assert_eq!(count("dovecot_config_version = 2.4.1\n", Some("2.4.5")), 4);
    assert_eq!(count("", Some("2.4.1")), 3);
    assert_eq!(count("", None), 4);
}
