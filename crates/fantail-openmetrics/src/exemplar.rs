//! Exemplars: a trace of one event behind a sample. OpenMetrics only.

use fantail_metrics::Exemplar;

use crate::{
    exposition::push_label,
    name::{is_label_name, name_part},
};

/// Name and value of an exemplar's label may have so many characters together.
const MAX_CHARACTERS: usize = 128;

/// How exemplars are written in one answer; `None` in place of it: not at all.
#[derive(Debug, Clone)]
pub(crate) struct Exemplars {
    /// The name of the label.
    name: String,
}

impl Exemplars {
    /// With the values of this field.
    pub(crate) fn of(field: &[u8]) -> Self {
        let mut name = name_part(field);
        if !is_label_name(&name) {
            name.insert(0, '_');
        }
        Self { name }
    }

    /// What stands behind a sample's number; nothing where it would be longer
    /// than the standard allows, or about no event.
    pub(crate) fn text(
        &self,
        exemplar: Option<&Exemplar>,
        number: impl FnOnce(&Exemplar) -> Option<String>,
    ) -> String {
        let text = |exemplar: &Exemplar| {
            let value = String::from_utf8_lossy(&exemplar.value);
            let characters = self.name.chars().count() + value.chars().count();
            let time = exemplar.time;
            if value.is_empty() || characters > MAX_CHARACTERS || time.seconds() < 0 {
                return None;
            }
            let number = number(exemplar)?;
            let mut label = String::new();
            push_label(&self.name, &value, &mut label);
            let (seconds, micros) = (time.seconds(), time.subsec_micros());
            Some(format!(" # {{{label}}} {number} {seconds}.{micros:06}"))
        };
        exemplar.and_then(text).unwrap_or_default()
    }
}

/// The latest of several.
pub(crate) fn latest<'a>(all: impl Iterator<Item = &'a Exemplar>) -> Option<&'a Exemplar> {
    all.max_by_key(|exemplar| exemplar.time.unix_micros())
}
