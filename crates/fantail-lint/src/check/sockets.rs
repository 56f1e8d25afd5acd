//! The sockets of the stats service, if both Dovecot and fantail read the
//! configuration: only one of them can bind a socket.

use fantail_config::{DovecotService, FileId, Loaded, Span};

use super::Reader;
use crate::{Finding, LintCode, finding::enumerate};

/// The sockets that Dovecot binds unless their `mode` is 0.
pub(crate) const SOCKETS: [&str; 3] = ["stats-writer", "login/stats-writer", "stats-reader"];

/// Reports settings that prevent Dovecot from starting after fantail.
///
/// A file that only Dovecot reads, and that disables no socket, belongs to a
/// Dovecot with its own stats process: it has no finding.
pub(super) fn check(loaded: &Loaded, reader: Reader, findings: &mut Vec<Finding>) {
    let Some(dovecot) = &loaded.settings.dovecot else {
        return;
    };
    let base_dir = |setting: &Option<fantail_config::Spanned<Vec<u8>>>| {
        setting.as_ref().map(|dir| dir.value.clone())
    };
    if reader == Reader::Fantail && dovecot.file == FileId::MAIN {
        return;
    }
    if base_dir(&loaded.settings.base_dir) != base_dir(&dovecot.base_dir) {
        return;
    }
    let bound: Vec<&str> = SOCKETS
        .into_iter()
        .filter(|name| !is_left_alone(dovecot, name))
        .collect();
    let is_dovecots =
        reader == Reader::Dovecot || reader == Reader::ByName && dovecot.file == FileId::MAIN;
    if is_dovecots && bound.len() == SOCKETS.len() {
        return;
    }
    let place = place(loaded, dovecot);
    if !bound.is_empty() {
        let names = enumerate(&bound, "and");
        let message = format!("Dovecot binds {names}, too: it does not start while fantail runs");
        let mut finding = Finding::new(LintCode::SameSockets, message, place);
        finding = finding.help(format!(
            "put this into {}:{}",
            name(loaded, dovecot),
            block(&bound)
        ));
        findings.push(finding);
    }
    findings.extend(port(dovecot));
}

pub(crate) fn is_left_alone(dovecot: &DovecotService, name: &str) -> bool {
    let mut listeners = dovecot.stats.unix_listeners.iter();
    listeners.any(|listener| {
        let path = &listener.path.value;
        let mode = listener.mode.as_ref().map(|mode| mode.value);
        let is_below_base = dovecot.base_dir.as_ref().is_some_and(|base| {
            let rest = path.strip_prefix(base.value.as_slice());
            rest.is_some_and(|rest| rest.strip_prefix(b"/") == Some(name.as_bytes()))
        });
        mode == Some(0)
            && (path == name.as_bytes()
                || is_below_base
                || path.strip_prefix(b"/run/dovecot/") == Some(name.as_bytes()))
    })
}

/// Returns the include of Dovecot's file, or its first listener of the stats
/// service.
fn place(loaded: &Loaded, dovecot: &DovecotService) -> Span {
    let listener = dovecot.stats.unix_listeners.first();
    let included = loaded.sources.included(dovecot.file);
    let start = Span {
        file: dovecot.file,
        start: 0,
        end: 0,
    };
    let listener = listener.map(|listener| listener.path.span);
    included.or(listener).unwrap_or(start)
}

fn name(loaded: &Loaded, dovecot: &DovecotService) -> String {
    super::shown(loaded.sources.name(dovecot.file))
}

/// Returns the block to paste.
pub(crate) fn block(sockets: &[&str]) -> String {
    let mut text = "\nservice stats {".to_owned();
    for name in sockets {
        text += &format!("\n  unix_listener {name} {{\n    mode = 0\n  }}");
    }
    text + "\n}"
}

/// Reports the port for scrapes that Dovecot's stats process would bind.
fn port(dovecot: &DovecotService) -> Option<Finding> {
    let mut listeners = dovecot.stats.inet_listeners.iter();
    let (listener, port) = listeners.find_map(|listener| {
        let port = listener.port.as_ref().filter(|port| port.value != 0)?;
        Some((listener, port))
    })?;
    let message = format!(
        "Dovecot listens on port {}, too: it does not start while fantail does",
        port.value
    );
    let finding = Finding::new(LintCode::SameSockets, message, listener.name.span);
    Some(finding.help(
        "move this `inet_listener` to a file that only fantail reads, or remove it and choose a \
         port with `fantail serve --http`",
    ))
}
