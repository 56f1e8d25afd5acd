//! Lines of the stats-reader socket, in both directions: requests, replies and
//! dumps.
//!
//! The input is lines. Each is parsed as a greeting, a request, a reply and a
//! line of a dump.

use fantail_event::escape;
use fantail_wire::reader::{DumpLine, Reply, Request, Side};

/// Numbers of columns for parsing a line of a dump. The last one is larger than
/// any line, and must not be allocated.
const COLUMNS: [usize; 5] = [0, 1, 2, 7, usize::MAX];

/// A valid line can be written as one line and parses as the same; a line of a
/// dump never has more values than the text.
///
/// # Panics
/// Panics if one of these does not hold.
pub fn reader_request(data: &[u8]) {
    for line in data.split(|&byte| byte == b'\n') {
        greeting_is_known(line);
        request_survives(line);
        reply_survives(line);
        for columns in COLUMNS {
            dump_line_survives(line, columns);
        }
    }
}

/// Checks that an accepted greeting has this protocol, side and major version.
fn greeting_is_known(line: &[u8]) {
    for side in [Side::Client, Side::Server] {
        let whole = side.greeting();
        assert!(side.check(whole.trim_ascii_end()).is_ok());
        let begin = whole.strip_suffix(b"2\t0\n").expect("a greeting");
        if side.check(line).is_ok() {
            let version = line.strip_prefix(begin).expect("this protocol");
            let version: Vec<_> = version.split(|&byte| byte == b'\t').collect();
            assert_eq!(version.len(), 2);
            let zeros = version[0].iter().take_while(|&&byte| byte == b'0');
            assert_eq!(&version[0][zeros.count()..], b"2");
        }
    }
}

pub(crate) fn request_survives(line: &[u8]) {
    let Ok(Some(request)) = Request::parse(line) else {
        return;
    };
    let mut written = Vec::new();
    request.write(&mut written);
    assert_eq!(Request::parse(one_line(&written)), Ok(Some(request)));
}

fn reply_survives(line: &[u8]) {
    let Some(reply) = Reply::parse(line) else {
        return;
    };
    let mut written = Vec::new();
    reply.write(&mut written);
    assert_eq!(Reply::parse(one_line(&written)), Some(reply));
}

fn dump_line_survives(line: &[u8], columns: usize) {
    let Ok(Some(dump)) = DumpLine::parse(line, columns) else {
        return;
    };
    let parts = line.split(|&byte| byte == b'\t').count();
    let mut written = escape::escape(&dump.metric).into_owned();
    for (at, (name, values)) in dump.fields.iter().enumerate() {
        assert_eq!(values.len(), columns);
        // The name of the first field is not written.
        let name = (at > 0).then_some(name);
        for part in name.into_iter().chain(values) {
            written.push(b'\t');
            written.extend_from_slice(&escape::escape(part));
        }
    }
    let kept = dump.fields.len() * (columns + 1);
    assert!(kept <= parts, "{kept} values of {parts} parts");
    // The empty line ends a dump, so a metric without a name needs a column.
    if written.is_empty() {
        return;
    }
    assert_eq!(DumpLine::parse(&written, columns), Ok(Some(dump)));
}

/// Returns the line without its LF, which must be its only one.
pub(crate) fn one_line(written: &[u8]) -> &[u8] {
    let line = written.strip_suffix(b"\n").expect("a whole line");
    assert!(!line.contains(&b'\n'), "more than a line: {written:?}");
    line
}
