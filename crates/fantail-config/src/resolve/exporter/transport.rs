//! The transport of an exporter.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use fantail_event::Dialect;
use fantail_format::Format;
use fantail_transport::{
    Facility, FileAccess, FileSettings, HttpBatch, HttpSettings, JournalPayloads, JournalSettings,
    LogSettings, MessageSettings, Rotation, SyslogAddress, SyslogPayloads, SyslogProtocol,
    SyslogSettings, SyslogSeverity, Tabs, UnixSettings, UnixSocket, spool::Fsync,
};

use crate::{
    diagnostic::Diagnostic, diagnostic::code::Code, diagnostic::source::Spanned, schema::Key,
    schema::context::Context, schema::extension::Extension, schema::section::Section,
    settings::exporter::TransportSettings, syntax::text::Text,
};

use super::{
    missing, nats, otlp, unknown,
    values::{Values, bytes_to_path},
};

/// The socket of syslog on this host.
const DEV_LOG: &str = "/dev/log";

/// Dovecot's default for all timeouts of exporters.
const TIMEOUT: Duration = Duration::from_millis(250);

/// The transports; 2.3 has no `file` and `unix`, and Dovecot not the last four.
const NAMES: [&str; 9] = [
    "log",
    "http-post",
    "drop",
    "file",
    "unix",
    "syslog",
    "journal",
    "otlp",
    "nats",
];

/// The values of `file_sync` and `spool_sync` that are not intervals.
const FSYNCS: [&str; 2] = ["never", "always"];

pub(super) fn resolve(
    section: &Section<'_>,
    context: &mut Context<'_>,
) -> Option<TransportSettings> {
    let is_2_4 = context.dialect == Dialect::V2_4;
    let Some(setting) = section.last(Key::Transport) else {
        if is_2_4 {
            return Some(TransportSettings::Log(LogSettings::default()));
        }
        let help = "write `transport = log`, `http-post` or `drop`";
        context.push(missing(Code::MissingTransport, section, section.span).help(help));
        return None;
    };
    let mut values = Values::new(section, context);
    // Dovecot checks the timeouts of all transports.
    let timeout = values.timeout(match values.dialect() {
        Dialect::V2_3 => Key::TransportTimeout,
        Dialect::V2_4 => Key::HttpTimeout,
    });
    let connect_timeout = values.timeout(Key::UnixTimeout);
    let syslog_timeout = values.timeout(Extension::SyslogConnectTimeout);
    // 2.3 has one timeout for all transports.
    let general = timeout.filter(|_| !is_2_4).unwrap_or(Some(TIMEOUT));
    let text = context.value(setting)?;
    let mut values = Values::new(section, context);
    let transport = match text.bytes() {
        // The settings of the log are outside of the exporter, perhaps after
        // it.
        b"log" => Some(TransportSettings::Log(LogSettings::default())),
        b"drop" => Some(TransportSettings::Drop),
        b"http-post" => {
            let settings = http(timeout.unwrap_or(Some(TIMEOUT)), &mut values);
            settings.map(TransportSettings::HttpPost)
        }
        b"otlp" => otlp(timeout.unwrap_or(Some(otlp::TIMEOUT)), &mut values),
        b"nats" => {
            let url = given(Extension::NatsUrl, Code::MissingUrl, &mut values);
            nats::resolve(url, &mut values)
        }
        b"file" => file(&mut values),
        b"unix" => unix(connect_timeout.unwrap_or(general), &mut values),
        b"syslog" => syslog(syslog_timeout.unwrap_or(general), &mut values),
        b"journal" => Some(TransportSettings::Journal(JournalSettings {
            path: values.path(Extension::JournalPath),
            payloads: JournalPayloads::default(),
        })),
        _ => {
            let what = if is_2_4 { "driver" } else { "transport" };
            values.wrong(unknown(Code::UnknownTransport, what, text, &NAMES));
            None
        }
    };
    transport.filter(|_| values.is_good())
}

fn otlp(timeout: Option<Duration>, values: &mut Values<'_, '_, '_>) -> Option<TransportSettings> {
    let mut settings = http(timeout, values)?;
    settings.batch = HttpBatch::Otlp;
    settings.url = otlp::with_path(settings.url);
    Some(TransportSettings::Otlp(settings))
}

fn http(timeout: Option<Duration>, values: &mut Values<'_, '_, '_>) -> Option<HttpSettings> {
    let url = url(values);
    let batches = [
        ("none", HttpBatch::Single),
        ("lines", HttpBatch::Lines),
        ("array", HttpBatch::Array),
    ];
    let batch = values.choice(Extension::HttpBatch, "way of batches", &batches);
    let size = values.count(Extension::HttpBatchSize);
    let size = size.and_then(|size| NonZeroUsize::try_from(size).ok());
    // The format determines the content type.
    let default = HttpSettings::new(String::new(), "");
    let settings = HttpSettings {
        timeout,
        batch: batch.unwrap_or_default(),
        batch_payloads: size.unwrap_or(default.batch_payloads),
        batch_bytes: values
            .memory(Extension::HttpBatchBytes)
            .unwrap_or(default.batch_bytes),
        batch_linger: values
            .interval(Extension::HttpBatchLinger)
            .unwrap_or_default(),
        gzip: values.boolean(Extension::HttpGzip).unwrap_or_default(),
        token_file: values.path(Extension::HttpTokenFile),
        headers_file: values.path(Extension::HttpHeadersFile),
        ca_file: values.path(Extension::HttpCaFile),
        ..default
    };
    Some(HttpSettings {
        url: url?,
        ..settings
    })
}

fn url(values: &mut Values<'_, '_, '_>) -> Option<String> {
    let key = match values.dialect() {
        Dialect::V2_3 => Key::TransportArguments,
        Dialect::V2_4 => Key::Url,
    };
    let text = given(key, Code::MissingUrl, values)?;
    let url = std::str::from_utf8(text.bytes()).ok();
    if let Some(url) = url.filter(|url| is_http(url.as_bytes())) {
        return Some(url.to_owned());
    }
    let code = Code::InvalidUrl;
    values.wrong(
        Diagnostic::new(code, code.title(), text.span())
            .label("expected `http://…` or `https://…`"),
    );
    None
}

/// Returns whether the URL has a scheme and a host, and no byte that is invalid
/// in a request.
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

fn file(values: &mut Values<'_, '_, '_>) -> Option<TransportSettings> {
    let path = given(Key::FilePath, Code::MissingPath, values);
    let create_folders = values.boolean(Extension::FileCreateFolders);
    let access = file_access(values);
    let rotation = Rotation {
        bytes: values
            .size(Extension::FileRotateSize)
            .filter(|size| *size > 0),
        age: values.interval(Extension::FileRotateAge),
        keep: values.number(Extension::FileKeep).unwrap_or_default(),
    };
    let fsync = fsync(Extension::FileSync, values);
    let default = FileSettings::new(to_path(path?));
    Some(TransportSettings::File(FileSettings {
        create_folders: create_folders.unwrap_or(default.create_folders),
        access,
        rotation,
        fsync: fsync.unwrap_or(default.fsync),
        ..default
    }))
}

fn file_access(values: &mut Values<'_, '_, '_>) -> FileAccess {
    let default = FileAccess::default();
    // The system has no account whose name is not UTF-8.
    let mut account = |key| {
        let name = values.bytes(key)?;
        Some(String::from_utf8_lossy(&name).into_owned())
    };
    FileAccess {
        user: account(Extension::FileUser),
        group: account(Extension::FileGroup),
        mode: values
            .permissions(Extension::FileMode)
            .unwrap_or(default.mode),
    }
}

/// Resolves `never`, `always`, or an interval.
pub(super) fn fsync(key: Extension, values: &mut Values<'_, '_, '_>) -> Option<Fsync> {
    let text = values.text(key)?;
    match text.bytes() {
        b"never" => Some(Fsync::Never),
        b"always" => Some(Fsync::Always),
        [b'0'..=b'9', ..] => values.interval(key).map(Fsync::Interval),
        _ => {
            let what = "time of forcing data onto the disk";
            let diagnostic = unknown(Code::UnknownValue, what, text, &FSYNCS);
            values.wrong(diagnostic.note("an interval like `1 secs` is possible too"));
            None
        }
    }
}

fn unix(timeout: Option<Duration>, values: &mut Values<'_, '_, '_>) -> Option<TransportSettings> {
    let path = given(Key::UnixPath, Code::MissingPath, values);
    let sockets = [
        ("stream", UnixSocket::Stream),
        ("datagram", UnixSocket::Datagram),
    ];
    let socket = values.choice(Extension::UnixSocket, "kind of socket", &sockets);
    Some(TransportSettings::Unix(UnixSettings {
        path: to_path(path?),
        socket: socket.unwrap_or_default(),
        connect_timeout: timeout,
    }))
}

fn syslog(timeout: Option<Duration>, values: &mut Values<'_, '_, '_>) -> Option<TransportSettings> {
    let address = match values.text(Extension::SyslogAddress) {
        Some(text) => address(text.bytes()).or_else(|| {
            let expected = "`unix:/dev/log`, `udp:host:514` or `tcp:host:514`";
            values.invalid(Code::InvalidAddress, text, expected);
            None
        }),
        None => Some(SyslogAddress::Unix(DEV_LOG.into())),
    };
    let protocols = [
        ("rfc5424", SyslogProtocol::Rfc5424),
        ("rfc3164", SyslogProtocol::Rfc3164),
    ];
    let protocol = values.choice(Extension::SyslogProtocol, "syslog protocol", &protocols);
    let names = Facility::NAMES;
    let facility = values.choice(Extension::SyslogFacility, "syslog facility", names);
    let names = SyslogSeverity::NAMES;
    let severity = values.choice(Extension::SyslogSeverity, "syslog severity", names);
    let program = values.bytes(Extension::SyslogProgram);
    let default = SyslogSettings::new(address?);
    Some(TransportSettings::Syslog(SyslogSettings {
        protocol: protocol.unwrap_or(default.protocol),
        facility: facility.unwrap_or(default.facility),
        severity: severity.unwrap_or(default.severity),
        program: program.unwrap_or(default.program),
        connect_timeout: timeout,
        ..default
    }))
}

/// Parses `unix:path`, `udp:host:port` or `tcp:host:port`; an IPv6 address is
/// in square brackets.
fn address(text: &[u8]) -> Option<SyslogAddress> {
    if let Some(path) = text.strip_prefix(b"unix:") {
        return (!path.is_empty()).then(|| SyslogAddress::Unix(bytes_to_path(path)));
    }
    let (way, rest) = std::str::from_utf8(text).ok()?.split_once(':')?;
    let (host, port) = rest.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|one| one.strip_suffix(']'));
    let host = bare.unwrap_or(host).to_owned();
    let port = port.parse().ok().filter(|port| *port > 0)?;
    let known = !host.is_empty() && (bare.is_some() || !host.contains(':'));
    match way {
        "udp" if known => Some(SyslogAddress::Udp { host, port }),
        "tcp" if known => Some(SyslogAddress::Tcp { host, port }),
        _ => None,
    }
}

pub(super) fn messages(values: &mut Values<'_, '_, '_>) -> MessageSettings {
    let choices = [
        ("keep", Tabs::Keep),
        ("escape", Tabs::Escape),
        ("replace", Tabs::Replace),
    ];
    let tabs = values.choice(Extension::MessageTabs, "treatment of TABs", &choices);
    let longest = values.memory(Extension::MessageMaxSize);
    MessageSettings {
        tabs: tabs.unwrap_or_default(),
        longest: longest.filter(|bytes| *bytes > 0),
    }
}

/// Sets the properties of the transport that depend on the format.
pub(super) fn set_format(transport: &mut TransportSettings, format: Format) {
    match transport {
        TransportSettings::HttpPost(settings) | TransportSettings::Otlp(settings) => {
            format.content_type().clone_into(&mut settings.content_type);
        }
        TransportSettings::Syslog(settings) if format == Format::StructuredData => {
            settings.payloads = SyslogPayloads::Structured;
        }
        TransportSettings::Journal(settings) if format == Format::Journal => {
            settings.payloads = JournalPayloads::Entries;
        }
        _ => {}
    }
}

/// Returns whether the transport can send the format; otherwise reports it.
pub(super) fn check_format(
    transport: &TransportSettings,
    format: &Spanned<Format>,
    context: &mut Context<'_>,
) -> bool {
    let array = matches!(
        transport,
        TransportSettings::HttpPost(http) if http.batch == HttpBatch::Array
    );
    let needed = match format.value {
        Format::Journal => {
            (!matches!(transport, TransportSettings::Journal(_))).then_some("journal")
        }
        Format::StructuredData => {
            (!matches!(transport, TransportSettings::Syslog(_))).then_some("syslog")
        }
        Format::Otlp => (!matches!(transport, TransportSettings::Otlp(_))).then_some("otlp"),
        _ if matches!(transport, TransportSettings::Otlp(_)) => {
            let message = format!("the target `otlp` does not take `{}`", format.value.name());
            let diagnostic = Diagnostic::new(Code::FormatMismatch, message, format.span);
            context.push(diagnostic.help("write `format = otlp`"));
            return false;
        }
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

fn to_path(text: &Text) -> PathBuf {
    bytes_to_path(text.bytes())
}

/// Returns a setting that the transport requires; reports a missing one.
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
