//! The names of rows.

use fantail_event::Dialect;
use fantail_metrics::{GroupBy, Label, MetricSettings, Series};

use crate::dovecot::labels::DovecotLabels;

/// The form of the names of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Names {
    /// Dovecot's names: it cuts labels and replaces bytes that are not text, so
    /// that different sub-metrics may have the same name.
    #[default]
    Dovecot,
    /// Complete labels: [`Label::text`](fantail_metrics::Label::text).
    Full,
}

/// The path from a metric down to one of its series, with the series' name.
#[derive(Debug)]
pub(super) struct Path<'a> {
    settings: &'a MetricSettings,
    dialect: Dialect,
    names: Names,
    /// The name; the names of ancestors are its beginnings.
    name: Vec<u8>,
    /// A step for each series from the metric down; `None` for series without a
    /// row, and their descendants.
    steps: Vec<Option<Step>>,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    /// The end of the name of the step's series.
    end: usize,
    /// The labels of the children.
    labels: DovecotLabels,
}

impl<'a> Path<'a> {
    pub(super) fn new(settings: &'a MetricSettings, dialect: Dialect, names: Names) -> Self {
        Self {
            settings,
            dialect,
            names,
            name: settings.name.clone(),
            steps: Vec::new(),
        }
    }

    /// Goes to the next series and returns its name; `None` if the series has
    /// no row, because Dovecot does not have it.
    ///
    /// Names have no control characters except DEL.
    #[inline]
    pub(super) fn enter(&mut self, series: &Series<'_>) -> Option<&[u8]> {
        self.steps.truncate(series.depth());
        let here = match (series.level(self.settings), self.steps.last()) {
            (None, _) => Some(Step {
                end: self.name.len(),
                labels: DovecotLabels::new(self.dialect),
            }),
            (Some(level), Some(Some(above))) => {
                let above = *above;
                self.go_down(above, series.label(), level)
            }
            (Some(_), _) => None,
        };
        self.steps.push(here);
        here.map(|_| &*self.name)
    }

    /// Returns the name of the parent of the next series at `depth`, and the
    /// labels of its children; `None` if they have no rows.
    #[inline]
    pub(super) fn above(&mut self, depth: usize) -> Option<(&[u8], DovecotLabels)> {
        self.steps.truncate(depth);
        let above = (*self.steps.last()?)?;
        Some((self.name.get(..above.end)?, above.labels))
    }

    /// Appends the name of a series without going to it; `None` if
    /// [`enter`](Self::enter) is necessary. Only for a plain label of a series
    /// without children: no other name begins with this one.
    #[inline]
    pub(super) fn append_last(&mut self, series: &Series<'_>, out: &mut Vec<u8>) -> Option<()> {
        let depth = series.depth();
        if depth == 0 || depth < self.settings.group_by.len() {
            return None;
        }
        self.steps.truncate(depth);
        let above = (*self.steps.last()?)?;
        let (label, _) = above.labels.verbatim(series.label())?;
        let name = self.name.get(..above.end)?;
        out.reserve(name.len() + 1 + label.len());
        out.extend_from_slice(name);
        out.push(b'_');
        let start = out.len();
        out.extend_from_slice(label);
        if has_blank(label) {
            replace_blanks(out.get_mut(start..).unwrap_or_default());
        }
        Some(())
    }

    #[inline]
    fn go_down(&mut self, above: Step, label: Label<'_>, level: &GroupBy) -> Option<Step> {
        self.name.truncate(above.end);
        self.name.push(b'_');
        let start = self.name.len();
        let labels = match above.labels.verbatim(label) {
            Some((label, labels)) => {
                self.name.extend_from_slice(label);
                labels
            }
            None => self.push_replaced(above.labels, label, level)?,
        };
        let label = self.name.get_mut(start..).unwrap_or_default();
        if has_blank(label) {
            replace_blanks(label);
        }
        Some(Step {
            end: self.name.len(),
            labels,
        })
    }

    #[cold]
    fn push_replaced(
        &mut self,
        labels: DovecotLabels,
        label: Label<'_>,
        level: &GroupBy,
    ) -> Option<DovecotLabels> {
        let (text, labels) = match self.names {
            _ if label == Label::Missing => return None,
            Names::Dovecot => labels.label(label, level)?,
            Names::Full => (label.text(level), labels),
        };
        let mut utf8 = [0; 4];
        for character in text.chars() {
            let shown = match character {
                control if control.is_ascii_control() && self.names == Names::Full => '\u{fffd}',
                other => other,
            };
            let bytes = shown.encode_utf8(&mut utf8).as_bytes();
            self.name.extend_from_slice(bytes);
        }
        Some(labels)
    }
}

#[cold]
fn replace_blanks(label: &mut [u8]) {
    let blanks = label.iter_mut().filter(|byte| **byte == b' ');
    blanks.for_each(|blank| *blank = b'_');
}

/// Returns whether a label has a blank. It reads eight bytes at a time, because
/// most labels have none.
#[inline]
fn has_blank(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let blank = |eight: &[u8; 8]| {
        let other = u64::from_ne_bytes(*eight) ^ (ONES * u64::from(b' '));
        // A borrow from the next byte requires a blank in this one.
        other.wrapping_sub(ONES) & !other & ONES << 7
    };
    let (words, rest) = bytes.as_chunks::<8>();
    match bytes.last_chunk() {
        Some(last) => {
            words
                .iter()
                .fold(blank(last), |any, word| any | blank(word))
                != 0
        }
        None => rest.contains(&b' '),
    }
}
