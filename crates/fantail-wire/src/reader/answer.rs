//! What a stats process answers.

use fantail_event::escape::{escape_into, unescape};

use super::{ReaderError, ReaderErrorKind};

/// The answer to all requests but dumps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// `+`: done.
    Done,
    /// `-` and why not, without escapes.
    Refused(Vec<u8>),
}

impl Reply {
    /// Reads an answer without its LF; `None` if it is none, such as a line
    /// of a dump.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        match line {
            [b'+', ..] => Some(Self::Done),
            [b'-', why @ ..] => Some(Self::Refused(unescape(why).into_owned())),
            _ => None,
        }
    }

    /// Appends the answer, LF included.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Done => out.push(b'+'),
            Self::Refused(why) => {
                out.push(b'-');
                escape_into(why, out);
            }
        }
        out.push(b'\n');
    }
}

/// A line of a dump: a metric or sub-metric with all its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpLine {
    /// Its name.
    pub metric: Vec<u8>,
    /// Each field's name and its values, one for each column that was asked
    /// for; the first is `duration`.
    pub fields: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
}

impl DumpLine {
    /// Reads a line of an answer without its LF; `None` for the empty line at
    /// its end. `columns` is how many were asked for.
    ///
    /// ```
    /// use fantail_wire::reader::DumpLine;
    ///
    /// let line = DumpLine::parse(b"mails\t2\t70\tbytes\t2\t4096", 2)?.unwrap();
    /// assert_eq!(line.metric, b"mails");
    /// assert_eq!(line.fields[1], (b"bytes".to_vec(), vec![b"2".to_vec(), b"4096".to_vec()]));
    /// assert_eq!(DumpLine::parse(b"", 2)?, None);
    /// # Ok::<(), fantail_wire::reader::ReaderError>(())
    /// ```
    ///
    /// # Errors
    /// A field has fewer values than that.
    pub fn parse(line: &[u8], columns: usize) -> Result<Option<Self>, ReaderError> {
        if line.is_empty() {
            return Ok(None);
        }
        let parts = line.split(|&byte| byte == b'\t');
        let mut parts = parts.map(|part| unescape(part).into_owned());
        let metric = parts.next().unwrap_or_default();
        let mut fields = Vec::new();
        let mut field = Some(b"duration".to_vec());
        while let Some(name) = field {
            // Not by the number of columns: it may be anything.
            let values: Vec<Vec<u8>> = parts.by_ref().take(columns).collect();
            if values.len() < columns {
                return Err(ReaderErrorKind::TruncatedDump.into());
            }
            fields.push((name, values));
            field = parts.next();
        }
        Ok(Some(Self { metric, fields }))
    }
}
