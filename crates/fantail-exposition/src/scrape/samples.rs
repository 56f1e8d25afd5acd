//! The samples of a family.

mod bulk;

use std::io;

use fantail_metrics::Exemplar;

pub(crate) use self::bulk::RunPrefix;
use super::{
    encoder::{Encoder, Histogram, Summary},
    exemplar::{Exemplars, Measure},
    labels::{LabelForm, push_label},
    name::is_label_name,
    value::Value,
};
use crate::text::chunked_writer::ChunkedWriter;

/// A writer of the samples of one family.
#[derive(Debug)]
pub struct Samples<'a, W> {
    pub(super) name: &'a str,
    /// The suffix of its usual samples.
    pub(super) suffix: &'static str,
    pub(super) form: Form,
    pub(super) out: &'a mut ChunkedWriter<W>,
}

/// The form of samples.
#[derive(Debug)]
pub(super) enum Form {
    Text {
        open: bool,
        /// The formatted time when counting began.
        created: Option<String>,
    },
    Encoded(Box<dyn Encoder>),
}

/// The size at which encoded series are written. Further series of the family follow with
/// the same head.
const MESSAGE_BYTES: usize = 64 << 10;

/// The exemplar of a sample, if there is an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exemplified<'e> {
    pub(crate) exemplars: &'e Exemplars,
    pub(crate) measure: Measure,
    pub(crate) last: Option<&'e Exemplar>,
}

/// The number of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// An integer.
    Whole(u64),
    /// A floating point number.
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

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        match number {
            Number::Whole(number) => Self::Whole(number),
            Number::Float(number) => Self::Float(number),
        }
    }
}

impl<W: io::Write> Samples<'_, W> {
    /// Adds a sample. Labels with an illegal name or an empty value are
    /// omitted; the caller ensures that no two samples have the same labels.
    ///
    /// # Errors
    /// Writing fails.
    pub fn add(&mut self, labels: &[(&str, &str)], number: impl Into<Number>) -> io::Result<()> {
        let mut set = Vec::new();
        for (name, value) in labels {
            if is_label_name(name) {
                push_label(self.label_form(), name, value, &mut set);
            }
        }
        let number: Number = number.into();
        self.point(&set, number.into())
    }

    /// Adds a sample, and the time when its counting began.
    #[inline]
    pub(crate) fn point(&mut self, labels: &[u8], value: Value) -> io::Result<()> {
        if let Form::Encoded(encoder) = &mut self.form {
            encoder.number(labels, value, None);
            return self.write_encoded(MESSAGE_BYTES);
        }
        self.sample(self.suffix, labels, |line| value.push(line))?;
        self.created_of_counter(labels)
    }

    /// Adds a sample with an exemplar, which is text after the number or a message.
    pub(crate) fn point_with(
        &mut self,
        labels: &[u8],
        value: Value,
        exemplar: Exemplified<'_>,
    ) -> io::Result<()> {
        let Exemplified {
            exemplars,
            measure,
            last,
        } = exemplar;
        if let Form::Encoded(encoder) = &mut self.form {
            let exemplar = exemplars.encode(last, measure);
            encoder.number(labels, value, exemplar.as_deref());
            return self.write_encoded(MESSAGE_BYTES);
        }
        self.sample(self.suffix, labels, |line| {
            value.push(line);
            exemplars.push(last, measure, line);
        })?;
        self.created_of_counter(labels)
    }

    /// Adds a histogram; only for encoded series.
    pub(super) fn histogram(&mut self, labels: &[u8], histogram: &Histogram<'_>) -> io::Result<()> {
        let Form::Encoded(encoder) = &mut self.form else {
            debug_assert!(false, "a histogram of text has several samples");
            return Ok(());
        };
        encoder.histogram(labels, histogram);
        self.write_encoded(MESSAGE_BYTES)
    }

    /// Adds a summary; only for encoded series.
    pub(super) fn summary(&mut self, labels: &[u8], summary: &Summary) -> io::Result<()> {
        let Form::Encoded(encoder) = &mut self.form else {
            debug_assert!(false, "a summary of text has several samples");
            return Ok(());
        };
        encoder.summary(labels, summary);
        self.write_encoded(MESSAGE_BYTES)
    }

    /// Writes the rest of the family.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.write_encoded(1)
    }

    /// Writes the encoded series so far, if they have at least this number of bytes.
    fn write_encoded(&mut self, bytes: usize) -> io::Result<()> {
        match &mut self.form {
            Form::Encoded(encoder) if encoder.len() >= bytes => {
                encoder.write(self.out.text());
                self.out.write_full()
            }
            Form::Encoded(_) | Form::Text { .. } => Ok(()),
        }
    }

    pub(crate) const fn label_form(&self) -> LabelForm {
        match self.form {
            Form::Text { .. } => LabelForm::Text,
            Form::Encoded(_) => LabelForm::Protobuf,
        }
    }

    pub(crate) const fn is_open_metrics(&self) -> bool {
        matches!(self.form, Form::Text { open: true, .. })
    }

    fn created_of_counter(&mut self, labels: &[u8]) -> io::Result<()> {
        match self.suffix {
            "_total" => self.created(labels),
            _ => Ok(()),
        }
    }

    /// Adds the time when the counting of a counter or histogram began, if set.
    #[inline]
    pub(crate) fn created(&mut self, labels: &[u8]) -> io::Result<()> {
        let created = match &mut self.form {
            Form::Text { created, .. } => created.take(),
            Form::Encoded(_) => None,
        };
        match created {
            None => Ok(()),
            Some(created) => self.created_at(labels, created),
        }
    }

    fn created_at(&mut self, labels: &[u8], text: String) -> io::Result<()> {
        let written = self.sample("_created", labels, |line| {
            line.extend_from_slice(text.as_bytes());
        });
        if let Form::Text { created, .. } = &mut self.form {
            *created = Some(text);
        }
        written
    }

    /// Adds a line of text.
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
