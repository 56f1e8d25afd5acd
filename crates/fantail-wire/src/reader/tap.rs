//! The lines of a tap, which fantail adds to the protocol.

/// A line of a tap after the `+` of its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TapLine<'a> {
    /// `E <event>`: an event in the requested format.
    Event(&'a [u8]),
    /// `END <skipped>`: the tap has ended.
    End {
        /// Matching events that were not shown because of the rate limit.
        skipped: u64,
    },
}

impl<'a> TapLine<'a> {
    /// Parses a line without its LF; `None` for another line.
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

    /// Appends the line with its LF. The event must not contain an LF.
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
