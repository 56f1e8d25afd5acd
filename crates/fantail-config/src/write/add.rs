//! A metric that arrives while the server runs (`doveadm stats add`).
//!
//! Its parts are checked as those of a `metric` block are; `group_by` is the
//! one line of 2.3 in both dialects. A refused one leaves nothing behind.

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

/// The parts of a metric, as they are sent. Empty ones count as not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetricRequest {
    /// Its name.
    pub name: Vec<u8>,
    /// What people call it.
    pub description: Vec<u8>,
    /// Fields, separated by spaces.
    pub fields: Vec<u8>,
    /// Levels of sub-metrics: `field field:linear:0:10:1`.
    pub group_by: Vec<u8>,
    /// The filter, in the dialect's language.
    pub filter: Vec<u8>,
    /// The exporter's name.
    pub exporter: Vec<u8>,
    /// What it writes: words of `exporter_include`.
    pub exporter_include: Vec<u8>,
}

impl MetricRequest {
    /// Checks the parts and makes a metric of them. Places in the errors are
    /// those in a text put together from the parts, named `metric`.
    ///
    /// # Errors
    /// All that would be errors in a configuration, an exporter that is not
    /// among `exporters` included.
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

    /// The metric as a configuration of its own, with all that is wrong in it;
    /// whether its exporter exists is not looked at.
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

    /// A `metric` block with these settings, and the text it could have been
    /// read from (a value may hold line ends, which a text could not).
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
            if value.is_empty() {
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

/// Adds a part to the text, and says where it stands.
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
