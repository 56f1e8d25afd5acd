//! A metric that is added to a running server (`doveadm stats add`).
//!
//! Its parts are checked like those of a `metric` block; `group_by` is the one
//! line of 2.3 in both dialects. A refused metric has no effect.

use std::sync::Arc;

use fantail_event::Dialect;

use crate::{
    diagnostic::Diagnostics,
    diagnostic::source::{FileId, Sources, Span, offset},
    load::{Loaded, Refused},
    resolve,
    schema::context::Context,
    settings::Metric,
    settings::exporter::Exporter,
    syntax::limits::Limits,
    syntax::raw::{RawBlock, RawConfig, RawSetting},
    syntax::statement::ValueForm,
    syntax::text::Text,
};

/// The parts of a metric in a request. An empty part is not set, but for
/// [`exporter_include`](Self::exporter_include).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetricRequest {
    /// The name.
    pub name: Vec<u8>,
    /// A description for people.
    pub description: Vec<u8>,
    /// The fields, separated by spaces.
    pub fields: Vec<u8>,
    /// The levels of sub-metrics: `field field:linear:0:10:1`.
    pub group_by: Vec<u8>,
    /// The filter, in the dialect's language.
    pub filter: Vec<u8>,
    /// The name of the exporter.
    pub exporter: Vec<u8>,
    /// The parts that the exporter writes: words of `exporter_include`. If it is empty,
    /// the exporter writes none, as in Dovecot.
    pub exporter_include: Vec<u8>,
}

impl MetricRequest {
    /// Checks the parts and makes a metric. Positions in errors refer to a text
    /// that is composed of the parts, named `metric`.
    ///
    /// # Errors
    /// All errors of a configuration, and an exporter that is not one of
    /// `exporters`.
    ///
    /// ```
    /// use fantail_config::MetricRequest;
    /// use fantail_event::Dialect;
    ///
    /// let mut request = MetricRequest {
    ///     name: b"logins".to_vec(),
    ///     filter: b"event=login_finished".to_vec(),
    ///     ..MetricRequest::default()
    /// };
    /// assert!(request.resolve(Dialect::V2_4, &[]).is_ok());
    ///
    /// request.exporter = b"nobody".to_vec();
    /// assert_eq!(
    ///     request.resolve(Dialect::V2_4, &[]).unwrap_err().to_string(),
    ///     "metric:3:10: error[config/unknown-exporter]: \
    ///      metric `logins`: no exporter is called `nobody`",
    /// );
    /// ```
    pub fn resolve(&self, filters: Dialect, exporters: &[Exporter]) -> Result<Metric, Refused> {
        let mut sources = Sources::default();
        let mut diagnostics = Diagnostics::new(Limits::default().errors);
        let raw = self.raw(&mut sources);
        let mut context = Context::new(&raw, Dialect::V2_3, &mut diagnostics);
        context.filters = filters;
        let metric = resolve::one_metric(&mut context, exporters);
        match metric {
            Some(metric) if !diagnostics.has_errors() => Ok(metric),
            _ => {
                diagnostics.sort();
                Err(Refused::new(diagnostics, sources))
            }
        }
    }

    /// Returns the metric as a separate configuration, with its diagnostics;
    /// does not check whether its exporter exists.
    #[must_use]
    pub fn load(&self, filters: Dialect) -> Loaded {
        let mut sources = Sources::default();
        let mut diagnostics = Diagnostics::new(Limits::default().errors);
        let alone = Self {
            exporter: Vec::new(),
            exporter_include: Vec::new(),
            ..self.clone()
        };
        let raw = alone.raw(&mut sources);
        let mut context = Context::new(&raw, Dialect::V2_3, &mut diagnostics);
        context.filters = filters;
        let (mut settings, broken_metrics) = resolve::resolve(&mut context);
        settings.dialect = filters;
        diagnostics.sort();
        Loaded {
            settings,
            broken_metrics,
            raw,
            diagnostics,
            sources,
        }
    }

    /// Returns a `metric` block with these settings, and a text for it (a value
    /// may contain line ends, which is impossible in a real text).
    fn raw(&self, sources: &mut Sources) -> RawConfig {
        let mut text = Vec::new();
        let kind = part(&mut text, b"metric");
        text.push(b' ');
        let name = part(&mut text, &self.name);
        let head = kind.span().to(name.span());
        let mut raw = RawConfig::default();
        let block = raw.add_block(RawBlock::new(kind, Some(name), head), None);
        let parts: [(&[u8], &[u8]); 6] = [
            (b"description", &self.description),
            (b"fields", &self.fields),
            (b"group_by", &self.group_by),
            (b"filter", &self.filter),
            (b"exporter", &self.exporter),
            (b"exporter_include", &self.exporter_include),
        ];
        for (key, value) in parts {
            let is_none = key == b"exporter_include" && !self.exporter.is_empty();
            if value.is_empty() && !is_none {
                continue;
            }
            text.push(b'\n');
            let key = part(&mut text, key);
            text.push(b'=');
            let value = part(&mut text, value);
            let setting = RawSetting {
                key,
                written: value.span(),
                value,
                form: ValueForm::Quoted,
                unexpanded: None,
                file: None,
                unreadable: None,
            };
            raw.add_setting(setting, Some(block));
        }
        _ = sources.add(b"metric".to_vec(), Arc::from(text), None);
        raw
    }
}

/// Appends a part to the text, and returns its position.
fn part(text: &mut Vec<u8>, bytes: &[u8]) -> Text {
    let start = text.len();
    text.extend_from_slice(bytes);
    let span = Span {
        file: FileId::MAIN,
        start: offset(start),
        end: offset(text.len()),
    };
    let mut part = Text::empty(span);
    for (at, byte) in (start..).zip(bytes) {
        part.push(*byte, FileId::MAIN, offset(at));
    }
    part
}
