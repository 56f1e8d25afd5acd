//! Translation of settings from one series of Dovecot to the other.
//!
//! Fields get their names of the other series, and values keep their meaning.
//! Settings that cannot be expressed are omitted and reported.

mod filter;

use fantail_config::{Exporter, Metric, Settings, Span, TransportSettings};
use fantail_event::Dialect;
use fantail_filter::Filter;
use fantail_metrics::{GroupBy, Method, Top};
use fantail_syntax::ParseOptions;

use crate::{
    Catalogue, Finding, LintCode,
    candidates::Candidates,
    catalogue::{CatalogueEvent, series::Series, stands_for},
};

/// Settings for the other series, and the losses.
#[derive(Debug, Clone)]
pub struct Translation {
    /// The settings; their positions are those of the original settings.
    pub settings: Settings,
    /// Settings that are omitted, or have another meaning in the other series.
    pub losses: Vec<Finding>,
}

/// Translates settings; those of the same series are unchanged.
///
/// ```
/// use fantail_event::Dialect;
/// use fantail_lint::{Catalogue, Translation, translate};
///
/// let text = "metric logins {\n  filter = event=login\n}\n";
/// let loaded = fantail_config::load_text("a.conf", text, &Default::default()).accept()?;
/// let translation: Translation = translate(&loaded.settings, Dialect::V2_4, &Catalogue::new());
/// assert_eq!(translation.settings.target().dialect(), Dialect::V2_4);
/// # Ok::<(), fantail_config::Refused>(())
/// ```
#[must_use]
pub fn translate(settings: &Settings, to: Dialect, catalogue: &Catalogue) -> Translation {
    let mut translation = Translation {
        settings: settings.clone(),
        losses: Vec::new(),
    };
    if settings.dialect == to {
        return translation;
    }
    let losses = &mut translation.losses;
    let exporters = settings.exporters.iter();
    let exporters: Vec<Exporter> = exporters
        .filter(|exporter| can_export(exporter, to, losses))
        .cloned()
        .collect();
    let series = Series::new(catalogue, settings.dialect.into());
    let metrics = settings.metrics.iter();
    let metrics = metrics
        .filter_map(|metric| {
            let task = Task {
                from: settings.dialect,
                to,
                events: possible(metric, &series),
            };
            task.metric(metric, &exporters, losses)
        })
        .collect();
    translation.settings.dialect = to;
    translation.settings.release = None;
    translation.settings.metrics = metrics;
    translation.settings.exporters = exporters;
    translation
}

fn lost(message: impl Into<String>, place: Span) -> Finding {
    Finding::new(LintCode::NotCarriedOver, message, place)
}

fn can_export(exporter: &Exporter, to: Dialect, losses: &mut Vec<Finding>) -> bool {
    let kind = match &exporter.transport {
        TransportSettings::File(_) => "file",
        TransportSettings::Unix(_) => "unix",
        _ => return can_be_named(&exporter.name, to, exporter.spans.name, losses),
    };
    if to == Dialect::V2_4 {
        return true;
    }
    let place = exporter.spans.transport.unwrap_or(exporter.spans.block);
    losses.push(lost(
        format!("Dovecot 2.3 has no `{kind}` exporters: this one is left out"),
        place,
    ));
    false
}

/// 2.4 reserves names that begin with `__`.
fn can_be_named(name: &[u8], to: Dialect, place: Span, losses: &mut Vec<Finding>) -> bool {
    let reserved = to == Dialect::V2_4 && name.starts_with(b"__");
    if reserved {
        losses.push(lost(
            "Dovecot 2.4 keeps names that begin with `__` for itself: this block is left out",
            place,
        ));
    }
    !reserved
}

/// Returns the events that a metric may match; all if none is known.
fn possible<'a>(metric: &Metric, series: &Series<'a>) -> Vec<&'a CatalogueEvent> {
    let events = Candidates::of(&metric.filter, series).events;
    if events.is_empty() {
        series.events.clone()
    } else {
        events
    }
}

/// The translation of one metric.
struct Task<'a> {
    from: Dialect,
    to: Dialect,
    events: Vec<&'a CatalogueEvent>,
}

impl Task<'_> {
    fn metric(
        &self,
        metric: &Metric,
        exporters: &[Exporter],
        losses: &mut Vec<Finding>,
    ) -> Option<Metric> {
        if !can_be_named(&metric.settings.name, self.to, metric.spans.name, losses) {
            return None;
        }
        let mut new = metric.clone();
        let text = self.filter(metric, losses);
        match Filter::parse(text.bytes(), &ParseOptions::new(self.to)) {
            Ok(filter) => new.filter = filter,
            Err(errors) => {
                let message = format!("Dovecot {} cannot read this filter: {errors}", self.to);
                losses.push(lost(message, metric.filter_text.span()));
                return None;
            }
        }
        new.filter_text = text;
        for field in &mut new.settings.fields {
            *field = self.field(field);
        }
        new.settings.group_by.clear();
        new.spans.group_by.clear();
        for (level, place) in metric.settings.group_by.iter().zip(&metric.spans.group_by) {
            let field = self.field(&level.field);
            if self.to == Dialect::V2_4
                && new.settings.group_by.iter().any(|one| one.field == field)
            {
                let message = "Dovecot 2.4 groups by a field once only: this level is left out";
                losses.push(lost(message, *place));
                // Declared series need all levels.
                new.declare.clear();
                continue;
            }
            let method = self.method(&level.method, *place, losses);
            new.settings.group_by.push(GroupBy { field, method });
            new.spans.group_by.push(*place);
        }
        if let (Some(top), Some(place)) = (&metric.settings.top, metric.spans.top) {
            new.settings.top = Some(self.top(top, place, losses));
        }
        new.exporters.retain(|exporter| {
            let mut names = exporters.iter().map(|one| &one.name);
            names.any(|name| *name == exporter.value)
        });
        Some(new)
    }

    fn top(&self, top: &Top, place: Span, losses: &mut Vec<Finding>) -> Top {
        let mut modifiers = top.modifiers().to_vec();
        if self.to == Dialect::V2_3 && modifiers.len() > 1 {
            let message = "2.3 changes a value by one modifier only: the others are left out";
            losses.push(lost(message, place));
            modifiers.truncate(1);
        }
        let new = Top::new(self.field(top.field())).modified(modifiers);
        let new = new.weighted(top.weight().map(|field| self.field(field)));
        // The numbers were valid before.
        new.clone()
            .sized(top.shown(), top.counters())
            .unwrap_or(new)
    }

    fn method(&self, method: &Method, place: Span, losses: &mut Vec<Finding>) -> Method {
        match method {
            Method::Discrete(modifiers) if self.to == Dialect::V2_3 && !modifiers.is_empty() => {
                let message = "most of Dovecot 2.3 knows no modifiers: whole values are grouped by";
                losses.push(lost(message, place));
                Method::Discrete(Vec::new())
            }
            other => other.clone(),
        }
    }

    /// Returns the name of a field in the other series.
    fn field(&self, key: &[u8]) -> Vec<u8> {
        let mut fields = self.events.iter().flat_map(|event| &event.fields);
        let field = fields.find(|field| {
            field.is_in(self.from)
                && field.is_in(self.to)
                && field.key(self.from).as_bytes() == key
                && !stands_for(field.key(self.to), key)
        });
        field.map_or_else(
            || key.to_vec(),
            |field| field.key(self.to).as_bytes().to_vec(),
        )
    }
}
