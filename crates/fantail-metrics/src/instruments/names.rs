//! Names and labels as Prometheus allows them.

use std::collections::BTreeMap;

/// Longer texts are cut.
const MAX_TEXT_BYTES: usize = 256;
/// Labels of a series; later ones are omitted.
const MAX_LABELS: usize = 32;

/// Names and values in the order of the names.
pub(super) type Labels = Box<[(Box<str>, Box<str>)]>;

/// Returns the name of a metric, without `_total`.
pub(super) fn legal_name(name: &str) -> String {
    let name = legal(name, true);
    match name.strip_suffix("_total") {
        Some(stem) if !stem.is_empty() => stem.to_owned(),
        _ => name,
    }
}

/// Returns labels in the order of their legal names. The last value of a name is valid;
/// labels without a value are omitted.
pub(super) fn normalized(labels: &[(&str, &str)]) -> Labels {
    let mut all = BTreeMap::new();
    for (name, value) in labels {
        let mut name = legal(name, false);
        if matches!(&*name, "le" | "quantile") || name.starts_with("__") {
            name.insert_str(0, "label_");
        }
        all.insert(name, cut(value));
    }
    let labels = all.into_iter().filter(|(_, value)| !value.is_empty());
    let labels = labels.take(MAX_LABELS);
    labels
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

/// Returns the labels of the series `other` beside a series with these labels.
pub(super) fn overflow_of(labels: &Labels) -> Labels {
    let other = |name: &str| (name.into(), "other".into());
    match &**labels {
        [] => [other("label")].into(),
        labels => labels.iter().map(|(name, _)| other(name)).collect(),
    }
}

fn legal(name: &str, colon: bool) -> String {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || colon && c == ':';
    let legal = cut(name).chars().map(|c| if is_legal(c) { c } else { '_' });
    let mut legal: String = legal.collect();
    if !legal.starts_with(|c: char| !c.is_ascii_digit()) {
        legal.insert(0, '_');
    }
    legal
}

fn cut(text: &str) -> &str {
    let mut ends = (0..=MAX_TEXT_BYTES).rev();
    match ends.find_map(|end| text.get(..end)) {
        Some(start) if text.len() > MAX_TEXT_BYTES => start,
        _ => text,
    }
}
