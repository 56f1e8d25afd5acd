//! The samples of a family.

mod bulk;

use std::io;

pub(crate) use self::bulk::RunPrefix;
use super::{labels::push_label, name::is_label_name};
use crate::text::{chunked_writer::ChunkedWriter, decimal::push_whole, numbers::float};

/// A writer of the samples of one family.
#[derive(Debug)]
pub struct Samples<'a, W> {
    pub(super) name: &'a str,
    /// The suffix of its usual samples.
    pub(super) suffix: &'static str,
    pub(super) open: bool,
    /// The formatted time when counting began.
    pub(super) created: Option<String>,
    pub(super) out: &'a mut ChunkedWriter<W>,
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
                push_label(name, value, &mut set);
            }
        }
        let number = number.into();
        self.point(&set, |line| match number {
            Number::Whole(number) => push_whole(number, line),
            Number::Float(number) => line.extend_from_slice(float(number).as_bytes()),
        })
    }

    /// Adds a sample with the number that `push` appends, and the time when its
    /// counting began.
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

    /// Adds the time when the counting of a counter or histogram began, if set.
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
