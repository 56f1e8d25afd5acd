//! The delivery level, queue, spool and rate limit of an exporter.

use fantail_transport::{
    DeliveryLevel, Overflow, QueueSettings, RetrySettings, SpoolSettings, ThrottleSettings,
    spool::Fsync,
};

use crate::{
    diagnostic::Diagnostic, diagnostic::code::Code, schema::extension::Extension,
    settings::exporter::TransportSettings,
};

use super::{
    transport::{fsync, given},
    values::{Values, bytes_to_path},
};

const OVERFLOWS: [(&str, Overflow); 2] = [
    ("drop-newest", Overflow::DropNewest),
    ("drop-oldest", Overflow::DropOldest),
];

/// The words of `delivery`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    BestEffort,
    Spool,
    Acknowledged,
}

const WORDS: [(&str, Word); 3] = [
    ("best-effort", Word::BestEffort),
    ("spool", Word::Spool),
    ("acknowledged", Word::Acknowledged),
];

pub(super) fn resolve(
    transport: Option<&TransportSettings>,
    values: &mut Values<'_, '_, '_>,
) -> QueueSettings {
    let default = QueueSettings::default();
    let payloads = values.count(Extension::QueueSize);
    let payloads = payloads.and_then(|payloads| usize::try_from(payloads.get()).ok());
    QueueSettings {
        level: level(transport, values),
        payloads: payloads.unwrap_or(default.payloads),
        bytes: values
            .memory(Extension::QueueBytes)
            .unwrap_or(default.bytes),
        overflow: overflow(Extension::QueueOverflow, values),
        max_age: values.interval(Extension::MaxAge),
        retry: RetrySettings {
            first: values
                .interval(Extension::RetryFirst)
                .unwrap_or(default.retry.first),
            longest: values
                .interval(Extension::RetryLongest)
                .unwrap_or(default.retry.longest),
            attempts: values.count(Extension::RetryAttempts),
            ..default.retry
        },
    }
}

fn overflow(key: Extension, values: &mut Values<'_, '_, '_>) -> Overflow {
    let what = "way to make room";
    values.choice(key, what, &OVERFLOWS).unwrap_or_default()
}

fn level(transport: Option<&TransportSettings>, values: &mut Values<'_, '_, '_>) -> DeliveryLevel {
    let word = values.choice(Extension::Delivery, "delivery level", &WORDS);
    let word = word.unwrap_or(Word::BestEffort);
    if word == Word::BestEffort {
        return DeliveryLevel::BestEffort;
    }
    let bytes = values.size(Extension::SpoolSize);
    let fsync = fsync(Extension::SpoolSync, values);
    let overflow = overflow(Extension::SpoolOverflow, values);
    let Some(path) = given(Extension::SpoolPath, Code::MissingPath, values) else {
        return DeliveryLevel::BestEffort;
    };
    let default = SpoolSettings::new(bytes_to_path(path.bytes()));
    let spool = SpoolSettings {
        bytes: bytes.unwrap_or(default.bytes),
        fsync: fsync.unwrap_or(default.fsync),
        overflow,
        ..default
    };
    if word == Word::Spool {
        return DeliveryLevel::Spool(spool);
    }
    if transport.is_some_and(|transport| !confirms(transport)) {
        not_confirmed(values);
    }
    DeliveryLevel::Acknowledged(spool)
}

/// Returns whether the target confirms events.
fn confirms(transport: &TransportSettings) -> bool {
    match transport {
        TransportSettings::HttpPost(_)
        | TransportSettings::Otlp(_)
        | TransportSettings::Nats(_) => true,
        TransportSettings::File(file) => file.fsync == Fsync::Always,
        _ => false,
    }
}

fn not_confirmed(values: &mut Values<'_, '_, '_>) {
    let code = Code::NotConfirmed;
    let setting = values.setting(Extension::Delivery);
    let place = setting.map_or(values.section.span, |setting| setting.written);
    values.wrong(
        Diagnostic::new(code, code.title(), place)
            .note("`http-post`, `otlp` and `nats` confirm, and `file` with `file_sync = always`")
            .help("write `delivery = spool`"),
    );
}

pub(super) fn throttle(values: &mut Values<'_, '_, '_>) -> ThrottleSettings {
    ThrottleSettings {
        rate: values.count(Extension::RateLimit),
        burst: values.count(Extension::RateBurst),
        sample: values.count(Extension::Sample),
    }
}
