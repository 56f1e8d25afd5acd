//! Where events go.

use std::{num::NonZeroUsize, time::Duration};

use fantail_event::Dialect;
use fantail_format::Format;

use crate::{
    code::Code,
    context::Context,
    diagnostic::Diagnostic,
    exporter_settings::{
        FileOptions, HttpBatch, HttpOptions, Messages, Sync, Syslog, SyslogAddress, Tabs, Transport,
    },
    extension::Extension,
    schema::Key,
    section::Section,
    source::Spanned,
    text::Text,
};

use super::{missing, unknown, values::Values};

/// Dovecot's default for all timeouts of exporters.
const TIMEOUT: Duration = Duration::from_millis(250);

/// The transports; 2.3 lacks `file` and `unix`, and Dovecot the last two.
const NAMES: [&str; 7] = [
    "log",
    "http-post",
    "drop",
    "file",
    "unix",
    "syslog",
    "journal",
];

/// Facilities of syslog, by their names in its configuration files.
const FACILITIES: [&str; 13] = [
    "user", "mail", "daemon", "auth", "authpriv", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];

const SEVERITIES: [&str; 8] = [
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
];

/// Words for "when it is forced onto the disk", besides intervals.
const SYNCS: [&str; 2] = ["never", "always"];

pub(super) fn resolve(section: &Section<'_>, context: &mut Context<'_>) -> Option<Transport> {
    let is_2_4 = context.dialect == Dialect::V2_4;
    let Some(setting) = section.last(Key::Transport) else {
        if is_2_4 {
            return Some(Transport::Log);
        }
        let help = "write `transport = log`, `http-post` or `drop`";
        context.push(missing(Code::MissingTransport, section, section.span).help(help));
        return None;
    };
    let mut values = Values::new(section, context);
    // Dovecot looks at the timeouts whatever the transport is.
    let timeout = values.timeout(match values.dialect() {
        Dialect::V2_3 => Key::TransportTimeout,
        Dialect::V2_4 => Key::HttpTimeout,
    });
    let connect_timeout = values.timeout(Key::UnixTimeout);
    let syslog_timeout = values.timeout(Extension::SyslogConnectTimeout);
    // 2.3 has one timeout for all.
    let general = timeout.filter(|_| !is_2_4).unwrap_or(Some(TIMEOUT));
    let text = context.value(setting)?;
    let mut values = Values::new(section, context);
    let transport = match text.bytes() {
        b"log" => Some(Transport::Log),
        b"drop" => Some(Transport::Drop),
        b"http-post" => http(timeout.unwrap_or(Some(TIMEOUT)), &mut values),
        b"file" => file(&mut values),
        b"unix" => unix(connect_timeout.unwrap_or(general), &mut values),
        b"syslog" => syslog(syslog_timeout.unwrap_or(general), &mut values),
        b"journal" => Some(Transport::Journal {
            path: values.bytes(Extension::JournalPath),
        }),
        _ => {
            let what = if is_2_4 { "driver" } else { "transport" };
            values.wrong(unknown(Code::UnknownTransport, what, text, &NAMES));
            None
        }
    };
    transport.filter(|_| values.is_good())
}

fn http(timeout: Option<Duration>, values: &mut Values<'_, '_, '_>) -> Option<Transport> {
    let url = url(values);
    let default = HttpOptions::default();
    let batches = [
        ("none", HttpBatch::None),
        ("lines", HttpBatch::Lines),
        ("array", HttpBatch::Array),
    ];
    let batch = values.choice(Extension::HttpBatch, "way of batches", &batches);
    let size = values.count(Extension::HttpBatchSize);
    let size = size.and_then(|size| NonZeroUsize::try_from(size).ok());
    let options = HttpOptions {
        batch: batch.unwrap_or_default(),
        batch_size: size.unwrap_or(default.batch_size),
        batch_bytes: values
            .size(Extension::HttpBatchBytes)
            .unwrap_or(default.batch_bytes),
        batch_linger: values
            .interval(Extension::HttpBatchLinger)
            .unwrap_or_default(),
        gzip: values.boolean(Extension::HttpGzip).unwrap_or_default(),
        token_file: values.bytes(Extension::HttpTokenFile),
        headers_file: values.bytes(Extension::HttpHeadersFile),
        ca_file: values.bytes(Extension::HttpCaFile),
    };
    Some(Transport::HttpPost {
        url: url?,
        timeout,
        options,
    })
}

fn url(values: &mut Values<'_, '_, '_>) -> Option<Vec<u8>> {
    let key = match values.dialect() {
        Dialect::V2_3 => Key::TransportArguments,
        Dialect::V2_4 => Key::Url,
    };
    let text = given(key, Code::MissingUrl, values)?;
    if is_http(text.bytes()) {
        return Some(text.bytes().to_vec());
    }
    let code = Code::InvalidUrl;
    values.wrong(
        Diagnostic::new(code, code.title(), text.span())
            .label("expected `http://…` or `https://…`"),
    );
    None
}

/// Scheme, host, and nothing that could not stand in a request.
fn is_http(url: &[u8]) -> bool {
    let lower = url.to_ascii_lowercase();
    let rest = lower
        .strip_prefix(b"http://")
        .or_else(|| lower.strip_prefix(b"https://"));
    rest.is_some_and(|rest| {
        let host = rest.split(|byte| matches!(byte, b'/' | b'?' | b'#')).next();
        host.is_some_and(|host| !host.is_empty()) && rest.iter().all(u8::is_ascii_graphic)
    })
}

fn file(values: &mut Values<'_, '_, '_>) -> Option<Transport> {
    let path = given(Key::FilePath, Code::MissingPath, values);
    let options = FileOptions {
        create_folders: values
            .boolean(Extension::FileCreateFolders)
            .unwrap_or_default(),
        rotate_size: values
            .size(Extension::FileRotateSize)
            .filter(|size| *size > 0),
        rotate_age: values.interval(Extension::FileRotateAge),
        keep: values.number(Extension::FileKeep).unwrap_or_default(),
        sync: sync(Extension::FileSync, values).unwrap_or_default(),
    };
    Some(Transport::File {
        path: path?.bytes().to_vec(),
        options,
    })
}

/// `never`, `always`, or an interval.
pub(super) fn sync(key: Extension, values: &mut Values<'_, '_, '_>) -> Option<Sync> {
    let text = values.text(key)?;
    match text.bytes() {
        b"never" => Some(Sync::Never),
        b"always" => Some(Sync::Always),
        [b'0'..=b'9', ..] => values.interval(key).map(Sync::Interval),
        _ => {
            let what = "time of forcing data onto the disk";
            let diagnostic = unknown(Code::UnknownValue, what, text, &SYNCS);
            values.wrong(diagnostic.note("an interval like `1 secs` is possible too"));
            None
        }
    }
}

fn unix(timeout: Option<Duration>, values: &mut Values<'_, '_, '_>) -> Option<Transport> {
    let path = given(Key::UnixPath, Code::MissingPath, values);
    let sockets = [("stream", false), ("datagram", true)];
    let datagram = values.choice(Extension::UnixSocket, "kind of socket", &sockets);
    Some(Transport::Unix {
        path: path?.bytes().to_vec(),
        timeout,
        datagram: datagram.unwrap_or_default(),
    })
}

fn syslog(timeout: Option<Duration>, values: &mut Values<'_, '_, '_>) -> Option<Transport> {
    let address = match values.text(Extension::SyslogAddress) {
        Some(text) => address(text.bytes()).or_else(|| {
            let expected = "`unix:/dev/log`, `udp:host:514` or `tcp:host:514`";
            values.invalid(Code::InvalidAddress, text, expected);
            None
        }),
        None => Some(SyslogAddress::Unix(b"/dev/log".to_vec())),
    };
    let protocols = [("rfc5424", true), ("rfc3164", false)];
    let rfc5424 = values.choice(Extension::SyslogProtocol, "syslog protocol", &protocols);
    let named = |names: &[&'static str]| -> Vec<(&'static str, &'static str)> {
        names.iter().map(|name| (*name, *name)).collect()
    };
    let facility = values.choice(
        Extension::SyslogFacility,
        "syslog facility",
        &named(&FACILITIES),
    );
    let severity = values.choice(
        Extension::SyslogSeverity,
        "syslog severity",
        &named(&SEVERITIES),
    );
    let program = values.bytes(Extension::SyslogProgram);
    let address = address?;
    let is_local = matches!(address, SyslogAddress::Unix(_));
    Some(Transport::Syslog(Syslog {
        address,
        rfc5424: rfc5424.unwrap_or(!is_local),
        facility: facility.unwrap_or("mail"),
        severity: severity.unwrap_or("info"),
        program: program.unwrap_or_else(|| b"fantail".to_vec()),
        timeout,
    }))
}

/// `unix:path`, `udp:host:port`, `tcp:host:port`; an IPv6 address in square
/// brackets.
fn address(text: &[u8]) -> Option<SyslogAddress> {
    if let Some(path) = text.strip_prefix(b"unix:") {
        return (!path.is_empty()).then(|| SyslogAddress::Unix(path.to_vec()));
    }
    let (way, rest) = std::str::from_utf8(text).ok()?.split_once(':')?;
    let (host, port) = rest.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|one| one.strip_suffix(']'));
    let host = bare.unwrap_or(host).to_owned();
    let port = port.parse().ok().filter(|port| *port > 0)?;
    let known = !host.is_empty() && (bare.is_some() || !host.contains(':'));
    match way {
        "udp" if known => Some(SyslogAddress::Udp(host, port)),
        "tcp" if known => Some(SyslogAddress::Tcp(host, port)),
        _ => None,
    }
}

pub(super) fn messages(values: &mut Values<'_, '_, '_>) -> Messages {
    let choices = [
        ("keep", Tabs::Keep),
        ("escape", Tabs::Escape),
        ("replace", Tabs::Replace),
    ];
    let tabs = values.choice(Extension::MessageTabs, "treatment of TABs", &choices);
    let max_size = values.size(Extension::MessageMaxSize);
    Messages {
        tabs: tabs.unwrap_or_default(),
        max_size: max_size.filter(|size| *size > 0),
    }
}

/// Whether the format is one that the transport can send.
pub(super) fn check_format(
    transport: &Transport,
    format: &Spanned<Format>,
    context: &mut Context<'_>,
) -> bool {
    let array = matches!(
        transport,
        Transport::HttpPost { options, .. } if options.batch == HttpBatch::Array
    );
    let needed = match format.value {
        Format::Journal => (!matches!(transport, Transport::Journal { .. })).then_some("journal"),
        Format::StructuredData => (!matches!(transport, Transport::Syslog(_))).then_some("syslog"),
        Format::Json | Format::Ndjson => None,
        _ => array.then_some("log"),
    };
    let Some(needed) = needed else {
        return true;
    };
    let name = format.value.name();
    let (message, help) = if array {
        let message = format!("the format `{name}` makes no JSON for `http_batch = array`");
        (
            message,
            "write `format = json` or `ndjson`, or `http_batch = lines`".to_owned(),
        )
    } else {
        let message = format!("the format `{name}` goes only to the target `{needed}`");
        (
            message,
            format!("choose `{needed}` as the target, or another format"),
        )
    };
    context.push(Diagnostic::new(Code::FormatMismatch, message, format.span).help(help));
    false
}

/// A setting that the transport needs.
pub(super) fn given<'s>(
    key: impl Into<Key>,
    code: Code,
    values: &mut Values<'_, 's, '_>,
) -> Option<&'s Text> {
    let key = key.into();
    if values.setting(key).is_some() {
        return values.text(key);
    }
    let section = values.section;
    let dialect = values.dialect();
    let mut rows = section.kind.rows(dialect).iter().copied();
    let row = rows.find(|row| row.key == key);
    let name = row.map(|row| section.kind.short_name(dialect, section.name.bytes(), row));
    let place = section
        .last(Key::Transport)
        .map_or(section.span, |setting| setting.written);
    let diagnostic = missing(code, section, place);
    values.wrong(match name {
        Some(name) => diagnostic.help(format!("set `{name}`")),
        None => diagnostic,
    });
    None
}
