//! What is promised of events, how they wait, and how many are let through.

use std::{num::NonZeroUsize, time::Duration};

use crate::{
    code::Code,
    diagnostic::Diagnostic,
    exporter_settings::{Delivery, Level, Overflow, Spool, Sync, Throttle, Transport},
    extension::Extension,
};

use super::{
    transport::{given, sync},
    values::Values,
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

pub(super) fn resolve(transport: Option<&Transport>, values: &mut Values<'_, '_, '_>) -> Delivery {
    let default = Delivery::default();
    let size = values.count(Extension::QueueSize);
    let size = size.and_then(|size| NonZeroUsize::try_from(size).ok());
    Delivery {
        level: level(transport, values),
        queue_size: size.unwrap_or(default.queue_size),
        queue_bytes: values
            .size(Extension::QueueBytes)
            .unwrap_or(default.queue_bytes),
        queue_overflow: overflow(Extension::QueueOverflow, values),
        max_age: values.interval(Extension::MaxAge),
        retry_first: values
            .interval(Extension::RetryFirst)
            .unwrap_or(default.retry_first),
        retry_longest: values
            .interval(Extension::RetryLongest)
            .unwrap_or(default.retry_longest),
        retry_attempts: values.count(Extension::RetryAttempts),
        dead_letters: values.bytes(Extension::DeadLetterPath),
    }
}

fn overflow(key: Extension, values: &mut Values<'_, '_, '_>) -> Overflow {
    let what = "way to make room";
    values.choice(key, what, &OVERFLOWS).unwrap_or_default()
}

fn level(transport: Option<&Transport>, values: &mut Values<'_, '_, '_>) -> Level {
    let word = values.choice(Extension::Delivery, "delivery level", &WORDS);
    let word = word.unwrap_or(Word::BestEffort);
    if word == Word::BestEffort {
        return Level::BestEffort;
    }
    let size = values.size(Extension::SpoolSize).unwrap_or(1 << 30);
    let sync = sync(Extension::SpoolSync, values);
    let overflow = overflow(Extension::SpoolOverflow, values);
    let Some(path) = given(Extension::SpoolPath, Code::MissingPath, values) else {
        return Level::BestEffort;
    };
    let spool = Spool {
        path: path.bytes().to_vec(),
        size,
        sync: sync.unwrap_or(Sync::Interval(Duration::from_secs(1))),
        overflow,
    };
    if word == Word::Spool {
        return Level::Spool(spool);
    }
    if transport.is_some_and(|transport| !confirms(transport)) {
        not_confirmed(values);
    }
    Level::Acknowledged(spool)
}

/// Whether the target says that it has what it got.
fn confirms(transport: &Transport) -> bool {
    match transport {
        Transport::HttpPost { .. } => true,
        Transport::File { options, .. } => options.sync == Sync::Always,
        _ => false,
    }
}

fn not_confirmed(values: &mut Values<'_, '_, '_>) {
    let code = Code::NotConfirmed;
    let setting = values.setting(Extension::Delivery);
    let place = setting.map_or(values.section.span, |setting| setting.written);
    values.wrong(
        Diagnostic::new(code, code.title(), place)
            .note("`http-post` confirms, and `file` with `file_sync = always`")
            .help("write `delivery = spool`"),
    );
}

pub(super) fn throttle(values: &mut Values<'_, '_, '_>) -> Throttle {
    Throttle {
        rate: values.count(Extension::RateLimit),
        burst: values.count(Extension::RateBurst),
        sample: values.count(Extension::Sample),
    }
}
