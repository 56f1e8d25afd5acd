//! The requests and the answer about recordings, which fantail adds to the protocol.

use std::borrow::Cow;

use fantail_event::escape::{escape_into, unescape};

use super::number;

/// The arguments of `FANTAIL-RECORD-START`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordParts<'a> {
    /// The file, which must not exist.
    pub path: Cow<'a, [u8]>,
    /// The recording ends after this number of seconds.
    pub seconds: u32,
    /// The recording ends before the file is larger than this, in bytes.
    pub bytes: u64,
}

/// The answer to `FANTAIL-RECORD-STATUS` after `+`: the last recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordStatus<'a> {
    /// The file.
    pub path: Cow<'a, [u8]>,
    /// When it began, in microseconds since 1970.
    pub began: i64,
    /// Bytes that were recorded.
    pub bytes: u64,
    /// The limit of these bytes.
    pub limit: u64,
    /// Seconds that are left, if the recording goes on and has a time limit.
    pub seconds_left: Option<u64>,
    /// Why the recording has ended; empty if it goes on.
    pub ended: Cow<'a, [u8]>,
}

impl<'a> RecordStatus<'a> {
    /// Parses a line without its LF; `None` for another line.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let mut parts = line
            .strip_prefix(b"RECORDING\t")?
            .split(|byte| *byte == b'\t');
        let mut part = || parts.next();
        Some(Self {
            path: unescape(part()?),
            began: number(part()?).ok()?,
            bytes: number(part()?).ok()?,
            limit: number(part()?).ok()?,
            seconds_left: match part()? {
                b"-" => None,
                seconds => Some(number(seconds).ok()?),
            },
            ended: unescape(part()?),
        })
    }

    /// Appends the line with its LF.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"RECORDING\t");
        escape_into(&self.path, out);
        let left = self.seconds_left;
        let left = left.map_or("-".to_owned(), |seconds| seconds.to_string());
        let numbers = format!("\t{}\t{}\t{}\t{left}\t", self.began, self.bytes, self.limit);
        out.extend_from_slice(numbers.as_bytes());
        escape_into(&self.ended, out);
        out.push(b'\n');
    }
}
