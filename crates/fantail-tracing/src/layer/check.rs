//! Parts of a configuration that no callsite of the program has.

use std::{collections::BTreeSet, fmt};

use fantail_config::{Metric, internal::similar};
use fantail_event::ValueRef;
use fantail_filter::{Mentions, Test};
use tracing_core::Metadata;

use crate::{
    callsite::verdict::{Known, Verdict},
    config::compiled::Compiled,
    record::metadata::{BUILT_IN, TARGET, key_of, name_of},
};

/// A part of a metric that no callsite of the program has.
///
/// Its `Display` is a sentence: ``metric `logins`: no callsite has the field `usr`; did
/// you mean `user`?``
///
/// ```
/// use fantail_tracing::UnknownPart;
/// use tracing_subscriber::prelude::*;
///
/// let text = "metric logins {\n filter = usr=anna OR message=*\n}\n";
/// let (layer, handle) = fantail_tracing::layer(text)?;
/// tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
///     tracing::info!(user = "anna", "login");
/// });
/// let unknown = &handle.check()[0];
/// assert_eq!(unknown.part, UnknownPart::Field);
/// assert_eq!(unknown.text, "usr");
/// assert_eq!(unknown.similar.as_deref(), Some("user"));
/// # Ok::<(), fantail_tracing::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unknown {
    /// The name of the metric.
    pub metric: String,
    /// The kind of the part.
    pub part: UnknownPart,
    /// The name, key or target as it is written.
    pub text: String,
    /// The most similar one that a callsite has.
    pub similar: Option<String>,
}

/// The kind of an [`Unknown`].
///
/// ```
/// use fantail_tracing::UnknownPart;
/// use tracing_subscriber::prelude::*;
///
/// let text = "metric logins {\n filter = event=logn OR message=*\n}\n";
/// let (layer, handle) = fantail_tracing::layer(text)?;
/// tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
///     tracing::info_span!("login").in_scope(|| tracing::info!("done"));
/// });
/// assert_eq!(handle.check()[0].part, UnknownPart::Name);
/// # Ok::<(), fantail_tracing::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnknownPart {
    /// The name of an event or span.
    Name,
    /// The key of a field.
    Field,
    /// A target.
    Target,
    /// The whole filter: its parts exist, but no callsite fits all of it.
    Filter,
}

/// What the callsites have.
struct Callsites<'a> {
    all: &'a [&'static Metadata<'static>],
    names: BTreeSet<&'static str>,
    keys: BTreeSet<String>,
    targets: BTreeSet<&'static str>,
}

pub(crate) fn check(compiled: &Compiled, all: &[&'static Metadata<'static>]) -> Vec<Unknown> {
    let fields = |it: &&'static Metadata<'static>| it.fields().iter().map(|it| key_of(it.name()));
    let mut keys: BTreeSet<String> = all.iter().flat_map(fields).map(str::to_owned).collect();
    // An error has them, too; and each event has a duration.
    keys.extend(keys.clone().iter().map(|key| format!("{key}.sources")));
    keys.extend(BUILT_IN.iter().map(|&key| key.to_owned()));
    keys.insert("duration".to_owned());
    let callsites = Callsites {
        all,
        names: all.iter().filter_map(|it| name_of(it)).collect(),
        keys,
        targets: all.iter().map(|it| it.target()).collect(),
    };
    let metrics = compiled.settings.metrics.iter();
    metrics.flat_map(|metric| callsites.check(metric)).collect()
}

impl Callsites<'_> {
    fn check(&self, metric: &Metric) -> Vec<Unknown> {
        let unknown = |part, text: &[u8], known: Vec<&str>| Unknown {
            metric: lossy(&metric.settings.name),
            part,
            text: lossy(text),
            similar: similar(text, known, 1).first().map(|&it| it.to_owned()),
        };
        let mut found = Vec::new();
        let written = metric.filter.tree().comparisons().iter();
        for (comparison, written) in metric.filter.comparisons().iter().zip(written) {
            let text = written.value.written();
            match comparison.test() {
                Test::Name(pattern) => {
                    let mut names = self.names.iter();
                    if !names.any(|name| pattern.matches(name.as_bytes())) {
                        let names = self.names.iter().copied().collect();
                        found.push(unknown(UnknownPart::Name, text, names));
                    }
                }
                Test::Field(test) if *test.key == *TARGET.as_bytes() => {
                    let mut targets = self.targets.iter();
                    if !targets.any(|&target| test.value_holds(ValueRef::from(target))) {
                        let targets = self.targets.iter().copied().collect();
                        found.push(unknown(UnknownPart::Target, text, targets));
                    }
                }
                _ => {}
            }
        }
        let mentions = Mentions::of(&metric.filter);
        let settings = &metric.settings;
        let groups = settings.group_by.iter().map(|level| &*level.field);
        let counted = settings.fields.iter().map(|key| &**key);
        let top = settings.top.iter();
        let top = top.flat_map(|top| std::iter::once(top.field()).chain(top.weight()));
        let keys: BTreeSet<&[u8]> = mentions
            .fields()
            .chain(groups)
            .chain(counted)
            .chain(top)
            .collect();
        let is_known = |key: &[u8]| self.keys.iter().any(|known| known.as_bytes() == key);
        for key in keys.into_iter().filter(|key| !is_known(key)) {
            let keys = self.keys.iter().map(|key| &**key).collect();
            found.push(unknown(UnknownPart::Field, key, keys));
        }
        let mut fits = self
            .all
            .iter()
            .map(|it| Known::Callsite(it).evaluate(&metric.filter));
        if found.is_empty() && fits.all(|verdict| verdict == Verdict::Never) {
            found.push(unknown(
                UnknownPart::Filter,
                metric.filter.canonical(),
                Vec::new(),
            ));
        }
        found
    }
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metric, text, .. } = self;
        write!(f, "metric `{metric}`: no callsite ")?;
        match self.part {
            UnknownPart::Name => write!(f, "has the name `{text}`"),
            UnknownPart::Field => write!(f, "has the field `{text}`"),
            UnknownPart::Target => write!(f, "has the target `{text}`"),
            UnknownPart::Filter => write!(f, "fits the filter `{text}`"),
        }?;
        match &self.similar {
            Some(similar) => write!(f, "; did you mean `{similar}`?"),
            None => Ok(()),
        }
    }
}
