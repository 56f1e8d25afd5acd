//! The fields that an exporter writes, and their rules.

use fantail_format::{FieldRules, HashKey, KeyPattern, Mask};

use crate::{
    diagnostic::Diagnostic, diagnostic::code::Code, diagnostic::source::Spanned,
    schema::extension::Extension, syntax::raw::RawSetting,
};

use super::values::Values;

/// The default prefix lengths of networks.
const PREFIXES: (u8, u8) = (24, 56);

/// Resolves the rules, and the file of the secret if it is in a file.
pub(super) fn resolve(values: &mut Values<'_, '_, '_>) -> (FieldRules, Option<Vec<u8>>) {
    let mut rules = FieldRules {
        allow: patterns(Extension::FieldsAllow, values),
        deny: patterns(Extension::FieldsDeny, values),
        masks: Vec::new(),
    };
    let file = hashes(&mut rules, values);
    for word in values.words(Extension::FieldsNetwork) {
        let mut parts = word.value.split(|byte| *byte == b':');
        let key = KeyPattern::new(parts.next().unwrap_or_default());
        let mask = match (parts.next(), parts.next(), parts.next()) {
            (None, None, None) => Some(PREFIXES),
            (Some(v4), Some(v6), None) => prefix(v4, 32).zip(prefix(v6, 128)),
            _ => None,
        };
        match mask {
            Some((v4, v6)) => rules.masks.push((key, Mask::Network { v4, v6 })),
            None => wrong(&word, "`field` or `field:24:56`", values),
        }
    }
    for word in values.words(Extension::FieldsTruncate) {
        let colon = word.value.iter().rposition(|byte| *byte == b':');
        let (key, length) = word.value.split_at(colon.unwrap_or(word.value.len()));
        let length = length.strip_prefix(b":").and_then(number);
        match length.and_then(|length| usize::try_from(length).ok()) {
            Some(bytes) => rules
                .masks
                .push((KeyPattern::new(key), Mask::Truncate(bytes))),
            None => wrong(&word, "`field:bytes`", values),
        }
    }
    (rules, file)
}

fn patterns(key: Extension, values: &mut Values<'_, '_, '_>) -> Vec<KeyPattern> {
    let words = values.words(key).into_iter();
    words.map(|word| KeyPattern::new(word.value)).collect()
}

fn hashes(rules: &mut FieldRules, values: &mut Values<'_, '_, '_>) -> Option<Vec<u8>> {
    let hashed = values.words(Extension::FieldsHash);
    let Some(setting) = values.setting(Extension::FieldsHashKey) else {
        if let Some(word) = hashed.first() {
            let code = Code::MissingSecret;
            values.wrong(
                Diagnostic::new(code, code.title(), word.span)
                    .help("write `fields_hash_key = </path/of/a/file`"),
            );
        }
        return None;
    };
    let secret = values.text(Extension::FieldsHashKey)?.bytes();
    if setting.file.is_none() {
        let message = "a secret has to stand in a file of its own";
        values.wrong(
            Diagnostic::new(Code::MissingSecret, message, setting.written)
                .help("write `fields_hash_key = </path/of/a/file`"),
        );
        return None;
    }
    match HashKey::new(secret) {
        Some(key) => rules.masks.extend(hashed.into_iter().map(|word| {
            let pattern = KeyPattern::new(word.value);
            (pattern, Mask::Hash(key.clone()))
        })),
        None => short_secret(setting, values),
    }
    setting.file.clone()
}

/// Reports a short secret without quoting it.
fn short_secret(setting: &RawSetting, values: &mut Values<'_, '_, '_>) {
    let code = Code::ShortSecret;
    values.wrong(
        Diagnostic::new(code, code.title(), setting.written)
            .label("expected at least 16 bytes")
            .help("`openssl rand -hex 32` makes a good one"),
    );
}

fn prefix(text: &[u8], most: u8) -> Option<u8> {
    let length = u8::try_from(number(text)?).ok()?;
    (length <= most).then_some(length)
}

fn number(text: &[u8]) -> Option<u32> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).ok().filter(|_| digits)?;
    text.parse().ok()
}

fn wrong(word: &Spanned<Vec<u8>>, expected: &str, values: &mut Values<'_, '_, '_>) {
    let written = String::from_utf8_lossy(&word.value);
    let message = format!("invalid rule for a field: `{written}`");
    values.wrong(
        Diagnostic::new(Code::InvalidNumber, message, word.span)
            .label(format!("expected {expected}")),
    );
}
