//! Settings as JSON, as `docs/settings.md` describes it. Bytes that are not
//! UTF-8 are replaced.

mod exporter;

use fantail::{
    config::{Metric, RegistrySettings, Settings},
    format::Parts,
    metrics::{GroupBy, Method, Modifier, Top},
};
use serde_json::{Value, json};

use self::exporter::exporter;

pub(super) fn write(settings: &Settings) -> String {
    let exporters: Vec<Value> = settings.exporters.iter().map(exporter).collect();
    let metrics: Vec<Value> = settings.metrics.iter().map(metric).collect();
    let unix = settings.stats.unix_listeners.iter();
    let unix: Vec<Value> = unix
        .map(|one| {
            json!({
                "path": text(&one.path.value),
                "mode": one.mode.as_ref().map(|mode| format!("{:04o}", mode.value)),
                "user": one.user.as_ref().map(|user| text(&user.value)),
                "group": one.group.as_ref().map(|group| text(&group.value)),
            })
        })
        .collect();
    let inet = settings.stats.inet_listeners.iter();
    let inet: Vec<Value> = inet
        .map(|one| {
            let addresses: Vec<String> = one.addresses.iter().map(|one| text(&one.value)).collect();
            json!({
                "name": text(&one.name.value),
                "port": one.port.as_ref().map(|port| port.value),
                "addresses": addresses,
                "ssl": one.ssl,
            })
        })
        .collect();
    let report = json!({
        "dialect": settings.dialect.to_string(),
        "base_dir": settings.base_dir.as_ref().map(|dir| text(&dir.value)),
        "metrics": metrics,
        "exporters": exporters,
        "unix_listeners": unix,
        "inet_listeners": inet,
        "fantail": registry(&settings.registry),
    });
    format!("{report:#}\n")
}

fn registry(settings: &RegistrySettings) -> Value {
    json!({
        "series_per_metric": settings.limits.series_per_metric,
        "series_total": settings.limits.series,
        "idle_series_ms": settings
            .idle_series
            .and_then(|idle| u64::try_from(idle.as_millis()).ok()),
        "exemplars": settings.exemplars.as_deref().map(text),
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn metric(one: &Metric) -> Value {
    let settings = &one.settings;
    let fields: Vec<String> = settings.fields.iter().map(|field| text(field)).collect();
    let levels = settings.group_by.iter().map(level);
    let levels: Vec<Value> = levels.chain(settings.top.iter().map(top)).collect();
    let exporters = one.exporters.iter();
    let exporters: Vec<String> = exporters.map(|exporter| text(&exporter.value)).collect();
    json!({
        "name": text(&settings.name),
        "description": text(&settings.description),
        "filter": text(one.filter_text.bytes()),
        "fields": fields,
        "group_by": levels,
        "exporter": (!exporters.is_empty()).then(|| exporters.join(" ")),
        "exporters": exporters,
        "expose": one.rules.exposed,
        "series_limit": one.rules.series_limit,
        "exporter_include": parts(one.include),
        "declare": declared(one),
    })
}

/// Returns the declared values by the fields of the levels.
fn declared(one: &Metric) -> Vec<Value> {
    let levels = one.settings.group_by.iter();
    let discrete = levels.filter(|level| matches!(level.method, Method::Discrete(_)));
    let declared = discrete.zip(&one.declare);
    let declared = declared.map(|(level, values)| {
        let values: Vec<String> = values.iter().map(|value| text(value)).collect();
        json!({ "field": text(&level.field), "values": values })
    });
    declared.collect()
}

fn parts(include: Parts) -> Vec<&'static str> {
    let switches = [
        include.name,
        include.hostname,
        include.timestamps,
        include.categories,
        include.fields,
    ];
    let words = Parts::WORDS.into_iter().zip(switches);
    words.filter(|(_, on)| *on).map(|(word, _)| word).collect()
}

fn level(one: &GroupBy) -> Value {
    let field = text(&one.field);
    match &one.method {
        Method::Discrete(modifiers) => {
            json!({ "field": field, "method": "discrete", "modifiers": names(modifiers) })
        }
        Method::Exponential(method) => json!({
            "field": field,
            "method": "exponential",
            "min_magnitude": method.min_magnitude(),
            "max_magnitude": method.max_magnitude(),
            "base": method.base(),
        }),
        Method::Linear(method) => json!({
            "field": field,
            "method": "linear",
            "min": method.min(),
            "max": method.max(),
            "step": method.step(),
        }),
    }
}

fn top(one: &Top) -> Value {
    json!({
        "field": text(one.field()),
        "method": "top",
        "shown": one.shown(),
        "counters": one.counters(),
        "weight": one.weight().map(text),
        "modifiers": names(one.modifiers()),
    })
}

fn names(modifiers: &[Modifier]) -> Vec<&'static str> {
    modifiers.iter().map(|one| modifier(*one)).collect()
}

fn modifier(modifier: Modifier) -> &'static str {
    match modifier {
        Modifier::Domain => "domain",
        Modifier::Username => "username",
        Modifier::Lower => "lower",
        Modifier::Upper => "upper",
    }
}
