//! One answer to a scrape, written as it is made.

mod many;

use std::{collections::HashSet, io};

use fantail_event::Timestamp;
use fantail_metrics::decimal::push_whole;

pub(crate) use self::many::Many;
use crate::{
    escape::{push_help, push_label_value},
    exemplar::Exemplars,
    format::Format,
    name::{is_label_name, is_metric_name},
    number::float,
    pieces::Pieces,
};

/// How an [`Exposition`] is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The format.
    pub format: Format,
    /// What the names of metrics begin with: `dovecot_`.
    pub prefix: String,
    /// When counting began; if given, OpenMetrics gets a `_created` for each
    /// counter and histogram. It is forgotten in Prometheus text.
    pub created: Option<Timestamp>,
}

impl Options {
    /// The names that Dovecot has, no `_created`.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self {
            format,
            prefix: "dovecot_".to_owned(),
            created: None,
        }
    }
}

/// What kind of numbers a family has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// They only grow; samples are called `NAME_total`.
    Counter,
    /// They go up and down.
    Gauge,
    /// Always 1, all is in the labels; samples are called `NAME_info`.
    Info,
    /// Buckets, their sum and count.
    Histogram,
}

/// A family of samples.
#[derive(Debug, Clone, Copy)]
pub struct Family<'a> {
    /// Its name, without a suffix.
    pub name: &'a str,
    /// Its kind.
    pub kind: Kind,
    /// What it is, for people.
    pub help: &'a str,
    /// Its unit, which must be the end of its name (`seconds`).
    pub unit: Option<&'a str>,
}

/// A family or metric that is not in the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name, as far as it is text.
    pub name: String,
    /// Why.
    pub reason: Reason,
}

/// Why something is not in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It is no legal name. Administrators use this to keep a metric out, as
    /// with `log/all`.
    IllegalName,
    /// A sample of it would have the name of another family's.
    NameTaken,
}

/// One answer: families in order, each name once, and the end.
///
/// Everything is written to `W` in pieces of some 64 KB, the last one by
/// [`finish`](Self::finish).
#[derive(Debug)]
pub struct Exposition<W> {
    out: Pieces<W>,
    options: Options,
    /// All names that families and their samples have, or may have.
    taken: HashSet<String>,
    left_out: Vec<LeftOut>,
    /// How the exemplars of the snapshot at hand are written.
    pub(crate) exemplars: Option<Exemplars>,
}

impl<W: io::Write> Exposition<W> {
    /// Begins an answer.
    pub fn new(out: W, options: Options) -> Self {
        Self {
            out: Pieces::new(out),
            options,
            taken: HashSet::new(),
            left_out: Vec::new(),
            exemplars: None,
        }
    }

    pub(crate) const fn options(&self) -> &Options {
        &self.options
    }

    /// Writes a family of the caller's own, whose samples `write` adds. A
    /// family with an illegal name, or one that is taken, is left out.
    ///
    /// # Errors
    /// Writing fails.
    pub fn family(
        &mut self,
        family: &Family<'_>,
        write: impl FnOnce(&mut Samples<'_, W>) -> io::Result<()>,
    ) -> io::Result<()> {
        match self.begin(family)? {
            None => Ok(()),
            Some(mut samples) => write(&mut samples),
        }
    }

    /// The end of the answer; tells what was left out.
    ///
    /// # Errors
    /// Writing fails.
    pub fn finish(mut self) -> io::Result<(W, Vec<LeftOut>)> {
        // Prometheus text ends anywhere; there it is a comment.
        self.out.text().extend_from_slice(b"# EOF\n");
        Ok((self.out.finish()?, self.left_out))
    }

    pub(crate) fn leave_out(&mut self, name: &str, reason: Reason) {
        self.left_out.push(LeftOut {
            name: name.to_owned(),
            reason,
        });
    }

    /// Writes the head of a family.
    pub(crate) fn begin<'a>(
        &'a mut self,
        family: &Family<'a>,
    ) -> io::Result<Option<Samples<'a, W>>> {
        if !is_metric_name(family.name) {
            self.leave_out(family.name, Reason::IllegalName);
            return Ok(None);
        }
        let names = names(family);
        if names.iter().any(|name| self.taken.contains(name)) {
            self.leave_out(family.name, Reason::NameTaken);
            return Ok(None);
        }
        self.taken.extend(names);
        let open = self.options.format == Format::OpenMetrics;
        let suffix = match family.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Info if open => "info",
            Kind::Gauge | Kind::Info => "gauge",
            Kind::Histogram => "histogram",
        };
        // Only OpenMetrics tells a family from its samples.
        let name = [family.name, if open { "" } else { suffix }].concat();
        let text = self.out.text();
        let push = |parts: &[&str], text: &mut Vec<u8>| {
            let bytes = parts.iter().map(|part| part.as_bytes());
            bytes.for_each(|bytes| text.extend_from_slice(bytes));
        };
        push(&["# HELP ", &name, " "], text);
        push_help(family.help, open, text);
        push(&["\n# TYPE ", &name, " ", kind, "\n"], text);
        if let (true, Some(unit)) = (open, family.unit) {
            push(&["# UNIT ", &name, " ", unit, "\n"], text);
        }
        self.out.write_full()?;
        Ok(Some(Samples {
            name: family.name,
            suffix,
            open,
            created: self
                .options
                .created
                .filter(|_| open)
                .map(|created| format!("{}.{:06}", created.seconds(), created.subsec_micros())),
            out: &mut self.out,
        }))
    }
}

/// The name of a family and of all samples that it can have.
fn names(family: &Family<'_>) -> Vec<String> {
    let suffixes: &[&str] = match family.kind {
        Kind::Counter => &["", "_total", "_created"],
        Kind::Gauge => &[""],
        Kind::Info => &["", "_info"],
        Kind::Histogram => &["", "_bucket", "_sum", "_count", "_created"],
    };
    let name = |suffix: &&str| [family.name, suffix].concat();
    suffixes.iter().map(name).collect()
}

/// Takes the samples of one family.
#[derive(Debug)]
pub struct Samples<'a, W> {
    name: &'a str,
    /// Of its usual samples.
    suffix: &'static str,
    open: bool,
    /// When counting began, as it is written.
    created: Option<String>,
    out: &'a mut Pieces<W>,
}

/// The number of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number.
    Whole(u64),
    /// Any number.
    Float(f64),
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl<W: io::Write> Samples<'_, W> {
    /// Adds a sample. Labels with an illegal name or no value are left out;
    /// the caller sees to it that no two samples have the same.
    ///
    /// # Errors
    /// Writing fails.
    pub fn add(&mut self, labels: &[(&str, &str)], number: impl Into<Number>) -> io::Result<()> {
        let mut set = Vec::new();
        for (name, value) in labels {
            if is_label_name(name) {
                push_label(name, value, &mut set);
            }
        }
        let number = number.into();
        self.point(&set, |line| match number {
            Number::Whole(number) => push_whole(number, line),
            Number::Float(number) => line.extend_from_slice(float(number).as_bytes()),
        })
    }

    /// Adds a sample whose number `push` appends, and when its counting
    /// began.
    #[inline]
    pub(crate) fn point(
        &mut self,
        labels: &[u8],
        push: impl FnOnce(&mut Vec<u8>),
    ) -> io::Result<()> {
        self.sample(self.suffix, labels, push)?;
        if self.suffix == "_total" {
            self.created(labels)?;
        }
        Ok(())
    }

    pub(crate) const fn is_open_metrics(&self) -> bool {
        self.open
    }

    /// When the counting of a counter or histogram began, if wanted.
    #[inline]
    pub(crate) fn created(&mut self, labels: &[u8]) -> io::Result<()> {
        match self.created.take() {
            None => Ok(()),
            Some(created) => self.created_at(labels, created),
        }
    }

    fn created_at(&mut self, labels: &[u8], created: String) -> io::Result<()> {
        let written = self.sample("_created", labels, |line| {
            line.extend_from_slice(created.as_bytes());
        });
        self.created = Some(created);
        written
    }

    #[inline]
    pub(crate) fn sample(
        &mut self,
        suffix: &str,
        labels: &[u8],
        push: impl FnOnce(&mut Vec<u8>),
    ) -> io::Result<()> {
        let text = self.out.text();
        text.extend_from_slice(self.name.as_bytes());
        text.extend_from_slice(suffix.as_bytes());
        if labels.is_empty() {
            text.push(b' ');
        } else {
            text.push(b'{');
            text.extend_from_slice(labels);
            text.extend_from_slice(b"} ");
        }
        push(text);
        text.push(b'\n');
        self.out.write_full()
    }
}

/// Appends a label to others. One without a value is the same as none, so it
/// is not written.
pub(crate) fn push_label(name: &str, value: &str, set: &mut Vec<u8>) {
    if value.is_empty() {
        return;
    }
    begin_label(name, set);
    push_label_value(value, set);
    set.push(b'"');
}

/// The same, of a value that is not empty, and is written as it is.
#[inline]
pub(crate) fn push_plain_label(name: &str, value: &[u8], set: &mut Vec<u8>) {
    begin_label(name, set);
    set.extend_from_slice(value);
    set.push(b'"');
}

#[inline]
fn begin_label(name: &str, set: &mut Vec<u8>) {
    if !set.is_empty() {
        set.push(b',');
    }
    set.extend_from_slice(name.as_bytes());
    set.extend_from_slice(b"=\"");
}
