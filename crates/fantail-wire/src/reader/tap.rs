//! What a tap shows: fantail's own addition to the protocol.

/// A line of a tap, after its `+`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TapLine<'a> {
    /// `E <event>`: an event in the format that was asked for.
    Event(&'a [u8]),
    /// `END <skipped>`: the tap has ended.
    End {
        /// Events that matched, but were more than could be shown.
        skipped: u64,
    },
}

impl<'a> TapLine<'a> {
    /// Reads a line without its LF; `None` if it is none of these.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        if let Some(event) = line.strip_prefix(b"E\t") {
            return Some(Self::Event(event));
        }
        let skipped = std::str::from_utf8(line.strip_prefix(b"END\t")?).ok()?;
        Some(Self::End {
            skipped: skipped.parse().ok()?,
        })
    }

    /// Appends the line, LF included. An event must have no LF in it.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Event(event) => {
                out.extend_from_slice(b"E\t");
                out.extend_from_slice(event);
            }
            Self::End { skipped } => {
                out.extend_from_slice(format!("END\t{skipped}").as_bytes());
            }
        }
        out.push(b'\n');
    }
}
