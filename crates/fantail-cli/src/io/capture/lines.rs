//! The lines of a capture, in bounded memory.

use std::io::{self, BufRead};

/// The maximum length of a line that is kept: more than a line of a client that
/// a server accepts, with its connection and time.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// Reads the next line, with its LF, into `line`; returns its length in the
/// input, 0 at the end. Omits the rest of a line that is too long.
pub(super) fn read(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<u64> {
    line.clear();
    let mut kept = io::Read::take(&mut *input, MAX_LINE_BYTES);
    let mut length = kept.read_until(b'\n', line)? as u64;
    if length == MAX_LINE_BYTES && line.last() != Some(&b'\n') {
        let (rest, whole) = skip_line(input)?;
        length += rest;
        if whole {
            line.push(b'\n');
        }
    }
    Ok(length)
}

/// Skips the rest of a line; returns its length, and whether it ends with LF.
fn skip_line(input: &mut impl BufRead) -> io::Result<(u64, bool)> {
    let mut skipped = 0;
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok((skipped, false));
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(buffer.len(), |at| at + 1);
        input.consume(count);
        skipped += count as u64;
        if end.is_some() {
            return Ok((skipped, true));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_bounded_and_the_next_one_is_whole() {
        let long = vec![b'x'; 3 << 20];
        let text = [&long[..], b"\nnext\nlast"].concat();
        let mut input = io::BufReader::with_capacity(100, text.as_slice());
        let mut line = Vec::new();
        assert_eq!(read(&mut input, &mut line).unwrap(), (3 << 20) + 1);
        assert_eq!((line.len(), line.last()), ((1 << 20) + 1, Some(&b'\n')));
        assert_eq!(read(&mut input, &mut line).unwrap(), 5);
        assert_eq!(line, b"next\n");
        assert_eq!(read(&mut input, &mut line).unwrap(), 4);
        assert_eq!(line, b"last");
        assert_eq!(read(&mut input, &mut line).unwrap(), 0);
    }
}
