//! Secrets in files that all users can read.

use std::collections::HashMap;

use fantail_config::{
    FileId, Loaded, RawBlock, RawEntry, RawSetting, Span, TransportSettings, ValueForm,
};

use super::shown;
use crate::{Finding, LintCode};

/// The endings of the names of settings that contain secrets.
const ENDINGS: [&str; 6] = [
    "password", "passwd", "_secret", "_api_key", "_token", "_nonce",
];

/// Reports passwords in settings and in the URLs of exporters.
pub(super) fn check(
    loaded: &Loaded,
    is_public: &dyn Fn(&[u8]) -> bool,
    findings: &mut Vec<Finding>,
) {
    let mut files: HashMap<FileId, bool> = HashMap::new();
    let mut is_public = |span: Span| {
        let name = loaded.sources.name(span.file);
        *files.entry(span.file).or_insert_with(|| is_public(name))
    };
    let mut found: Vec<(Span, String)> = Vec::new();
    for exporter in &loaded.settings.exporters {
        let url = match &exporter.transport {
            TransportSettings::HttpPost(http) | TransportSettings::Otlp(http) => &http.url,
            TransportSettings::Nats(nats) => &nats.url,
            _ => continue,
        };
        if holds_secret(url.as_bytes()) {
            let place = exporter.spans.transport.unwrap_or(exporter.spans.block);
            found.push((place, format!("the URL of `{}`", shown(&exporter.name))));
        }
    }
    for setting in all_settings(loaded) {
        if is_secret(setting) {
            found.push((
                setting.key.span(),
                format!("`{}`", shown(setting.key.bytes())),
            ));
        }
    }
    for (place, what) in found {
        if is_public(place) {
            let message = format!("everybody on this machine can read {what} in this file");
            findings.push(
                Finding::new(LintCode::ReadableSecret, message, place)
                    .help("take the file's permissions from others: `chmod o-rwx`"),
            );
        }
    }
}

fn all_settings(loaded: &Loaded) -> impl Iterator<Item = &RawSetting> {
    let mut open: Vec<Box<dyn Iterator<Item = RawEntry<'_>> + '_>> =
        vec![Box::new(loaded.raw.top())];
    std::iter::from_fn(move || {
        loop {
            match open.last_mut()?.next() {
                Some(RawEntry::Setting(setting)) => return Some(setting),
                Some(RawEntry::Block(block)) => {
                    let block: &RawBlock = block;
                    open.push(Box::new(loaded.raw.within(block)));
                }
                Some(_) => {}
                None => {
                    open.pop();
                }
            }
        }
    })
}

/// Returns whether a setting's value is a secret that is in this file.
fn is_secret(setting: &RawSetting) -> bool {
    let value = setting.value.bytes();
    let key = setting.key.bytes();
    let placeholder = value.contains(&b'%') || value == b"yes" || value == b"no";
    setting.form != ValueForm::File
        && !value.is_empty()
        && !placeholder
        && ENDINGS
            .iter()
            .any(|ending| key.ends_with(ending.as_bytes()))
}

/// Returns whether a URL is like `https://name:secret@host` or `?token=secret`.
fn holds_secret(url: &[u8]) -> bool {
    let url = shown(url).to_ascii_lowercase();
    let Some((_, rest)) = url.split_once("://") else {
        return false;
    };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = place.split('/').next().unwrap_or_default();
    let named = authority
        .split_once('@')
        .is_some_and(|(who, _)| who.contains(':'));
    let keys = query
        .split('&')
        .filter_map(|pair| Some(pair.split_once('=')?.0));
    let told = |key: &str| {
        ["token", "key", "secret", "password", "auth"]
            .iter()
            .any(|one| key.ends_with(one))
    };
    named || keys.into_iter().any(told)
}
