//! An answer to a scrape.

use std::{collections::HashSet, io};

use fantail_event::Timestamp;

use super::{
    escape::push_help,
    exemplar::Exemplars,
    family::{Family, Kind, sample_names},
    format::Format,
    name::is_metric_name,
    otlp::OtlpMetrics,
    protobuf::Messages,
    remote_write::TimeSeries,
    samples::{Form, Samples},
};
use crate::text::chunked_writer::ChunkedWriter;

/// The options of an [`Exposition`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpositionOptions {
    /// The format.
    pub format: Format,
    /// The prefix of the names of metrics: `dovecot_`.
    pub prefix: String,
    /// The time when counting began. If set, OpenMetrics has a `_created` for
    /// each counter and histogram, and protobuf a `created_timestamp`. In OTLP, it is the
    /// start time. Prometheus text and remote write ignore it.
    pub created: Option<Timestamp>,
    /// The time of the samples of a push. Scrapes have no times.
    pub time: Timestamp,
    /// Labels of each series of remote write, such as `job` and `instance`. A label of a
    /// series that has the name of one of them gets the prefix `exported_`, as Prometheus
    /// names it.
    pub labels: Vec<(String, String)>,
}

impl ExpositionOptions {
    /// Returns options with Dovecot's names and without `_created`.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self {
            format,
            prefix: "dovecot_".to_owned(),
            created: None,
            time: Timestamp::default(),
            labels: Vec::new(),
        }
    }
}

/// A family or metric that is omitted from the answer.
///
/// ```
/// use fantail_exposition::{
///     Exposition, ExpositionOptions, Family, Format, Kind, LeftOut, Number, Samples, SkipReason,
/// };
///
/// let mut exposition = Exposition::new(Vec::new(), ExpositionOptions::new(Format::Prometheus));
/// let family = Family { name: "open", kind: Kind::Gauge, unit: None, help: "open files" };
/// exposition.family(&family, |samples: &mut Samples<'_, _>| samples.add(&[], Number::Whole(3)))?;
/// // The name is taken now.
/// exposition.family(&family, |samples| samples.add(&[], Number::Whole(4)))?;
/// let (_, left_out): (_, Vec<LeftOut>) = exposition.finish()?;
/// assert_eq!(left_out[0].reason, SkipReason::NameTaken);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The name; bytes that are not UTF-8 are replaced.
    pub name: String,
    /// The reason.
    pub reason: SkipReason,
}

/// The reason why a family or metric is omitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipReason {
    /// The name is illegal. Administrators use this to omit a metric, such as
    /// `log/all`.
    IllegalName,
    /// One of its samples would have a name of another family.
    NameTaken,
}

/// An answer to a scrape: families in order, each with a unique name, and the
/// end.
///
/// It writes to `W` in chunks of about 64 KB; [`finish`](Self::finish) writes
/// the last one.
#[derive(Debug)]
pub struct Exposition<W> {
    out: ChunkedWriter<W>,
    options: ExpositionOptions,
    /// The names of all families, and of all samples that they may have.
    taken: HashSet<String>,
    left_out: Vec<LeftOut>,
    /// The form of the current snapshot's exemplars.
    pub(crate) exemplars: Option<Exemplars>,
}

impl<W: io::Write> Exposition<W> {
    /// Creates an answer.
    pub fn new(out: W, options: ExpositionOptions) -> Self {
        Self {
            out: ChunkedWriter::new(out),
            options,
            taken: HashSet::new(),
            left_out: Vec::new(),
            exemplars: None,
        }
    }

    /// Sets the [time when counting began](ExpositionOptions::created) of the families that
    /// follow.
    pub fn count_since(&mut self, created: Option<Timestamp>) {
        self.options.created = created;
    }

    pub(crate) const fn options(&self) -> &ExpositionOptions {
        &self.options
    }

    /// Writes a family with the samples that `write` adds. A family with an
    /// illegal or used name is omitted.
    ///
    /// # Errors
    /// Writing fails.
    pub fn family(
        &mut self,
        family: &Family<'_>,
        write: impl FnOnce(&mut Samples<'_, W>) -> io::Result<()>,
    ) -> io::Result<()> {
        if !self.take_names(family) {
            return Ok(());
        }
        let mut samples = self.begin(family)?;
        write(&mut samples)?;
        samples.end()
    }

    /// Writes a family of native histograms. A counter may have its name: the samples of
    /// the counter have another.
    pub(crate) fn native_family(
        &mut self,
        family: &Family<'_>,
        write: impl FnOnce(&mut Samples<'_, W>) -> io::Result<()>,
    ) -> io::Result<()> {
        let is_counter = self.taken.contains(&format!("{}_total", family.name));
        let mut names = sample_names(family);
        names.retain(|name| !is_counter || name != family.name);
        // Protobuf has no sample `_created`. A reader without native histograms sees the
        // other ones.
        names.retain(|name| !name.ends_with("_created"));
        if names.iter().any(|name| self.taken.contains(name)) {
            self.leave_out(family.name, SkipReason::NameTaken);
            return Ok(());
        }
        self.taken.extend(names);
        let mut samples = self.begin(family)?;
        write(&mut samples)?;
        samples.end()
    }

    /// Ends the answer; returns the writer and the omitted families and
    /// metrics.
    ///
    /// # Errors
    /// Writing fails.
    pub fn finish(mut self) -> io::Result<(W, Vec<LeftOut>)> {
        // Prometheus text has no end mark; there this line is a comment.
        if self.options.format.is_text() {
            self.out.text().extend_from_slice(b"# EOF\n");
        }
        Ok((self.out.finish()?, self.left_out))
    }

    pub(crate) fn leave_out(&mut self, name: &str, reason: SkipReason) {
        self.left_out.push(LeftOut {
            name: name.to_owned(),
            reason,
        });
    }

    /// Takes the names of a family, unless one of them is illegal or taken.
    fn take_names(&mut self, family: &Family<'_>) -> bool {
        if !is_metric_name(family.name) {
            self.leave_out(family.name, SkipReason::IllegalName);
            return false;
        }
        let names = sample_names(family);
        if names.iter().any(|name| self.taken.contains(name)) {
            self.leave_out(family.name, SkipReason::NameTaken);
            return false;
        }
        self.taken.extend(names);
        true
    }

    /// Writes the head of a family.
    fn begin<'a>(&'a mut self, family: &Family<'a>) -> io::Result<Samples<'a, W>> {
        let format = self.options.format;
        let open = format == Format::OpenMetrics;
        let suffix = match family.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram | Kind::Summary => "",
        };
        // Only OpenMetrics distinguishes the names of a family and its samples.
        let name = [family.name, if open { "" } else { suffix }].concat();
        let created = self.options.created;
        let form = match format {
            Format::Protobuf => {
                let messages = Messages::new(&name, family.help, family.kind, created);
                Form::Encoded(Box::new(messages))
            }
            Format::RemoteWrite => Form::Encoded(Box::new(TimeSeries::new(
                family,
                &name,
                &self.options.labels,
                self.options.time,
            ))),
            Format::Otlp => {
                let times = (created, self.options.time);
                Form::Encoded(Box::new(OtlpMetrics::new(family, &name, times)))
            }
            Format::OpenMetrics | Format::Prometheus => {
                self.write_head(family, &name, open);
                let created = created.filter(|_| open);
                let text =
                    |time: Timestamp| format!("{}.{:06}", time.seconds(), time.subsec_micros());
                let created = created.map(text);
                Form::Text { open, created }
            }
        };
        self.out.write_full()?;
        Ok(Samples {
            name: family.name,
            suffix,
            form,
            out: &mut self.out,
        })
    }

    /// Writes the head of a family as text.
    fn write_head(&mut self, family: &Family<'_>, name: &str, open: bool) {
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Info if open => "info",
            Kind::Gauge | Kind::Info => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
        };
        let text = self.out.text();
        let push = |parts: &[&str], text: &mut Vec<u8>| {
            let bytes = parts.iter().map(|part| part.as_bytes());
            bytes.for_each(|bytes| text.extend_from_slice(bytes));
        };
        push(&["# HELP ", name, " "], text);
        push_help(family.help, open, text);
        push(&["\n# TYPE ", name, " ", kind, "\n"], text);
        if let (true, Some(unit)) = (open, family.unit) {
            push(&["# UNIT ", name, " ", unit, "\n"], text);
        }
    }
}
