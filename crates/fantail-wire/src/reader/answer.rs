//! Answers of a stats process.

use fantail_event::escape::{escape_into, unescape};

use super::{ReaderError, ReaderErrorKind};

/// The answer to all requests except dumps.
///
/// ```
/// use fantail_wire::reader::Reply;
///
/// let mut line = Vec::new();
/// Reply::Refused(b"unknown metric".to_vec()).write(&mut line);
/// let line = line.strip_suffix(b"\n").unwrap();
/// assert_eq!(Reply::parse(line), Some(Reply::Refused(b"unknown metric".to_vec())));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// `+`: done.
    Done,
    /// `-` and the reason, unescaped.
    Refused(Vec<u8>),
}

impl Reply {
    /// Parses an answer without its LF; `None` for another line, such as one of a
    /// dump.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        match line {
            [b'+', ..] => Some(Self::Done),
            [b'-', why @ ..] => Some(Self::Refused(unescape(why).into_owned())),
            _ => None,
        }
    }

    /// Appends the answer with its LF.
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
    /// The name of each field and its values, one per requested column; the first
    /// field is `duration`.
    pub fields: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
}

impl DumpLine {
    /// Parses a line of a dump without its LF; `None` for the empty line at its end.
    /// `columns` is the number of requested columns.
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
    /// A field has fewer values than `columns`.
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
            // Not allocated by the number of columns, which may be any.
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
