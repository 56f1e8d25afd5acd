//! What the benchmarks run on: the recordings of real Dovecots.
//!
//! Each benchmark walks whole recordings, so that the mix of short and long
//! events, of names and of fields is that of a mail server. What is measured
//! lies in the files beside this package's manifest, one a layer.

use std::path::Path;

use fantail_event::{CategoryTree, Dialect};

/// The events that one Dovecot's processes sent.
#[derive(Debug)]
pub struct Capture {
    /// The dialect of that Dovecot.
    pub dialect: Dialect,
    /// The text form of each event, without its command and ids, in the
    /// order in which they were sent. Parents (`BEGIN`) are there too,
    /// updates are not.
    pub events: Vec<Vec<u8>>,
    /// All categories that were registered.
    pub categories: CategoryTree,
}

impl Capture {
    /// The recording of Dovecot 2.4.1: 409 bytes and 14 fields an event.
    ///
    /// # Panics
    /// The file is missing or is no recording.
    #[must_use]
    pub fn dovecot_2_4() -> Self {
        Self::read("dovecot-2.4.1.tsv", Dialect::V2_4)
    }

    #[allow(
        clippy::expect_used,
        clippy::disallowed_methods,
        reason = "test data of our own: without it there is nothing to measure"
    )]
    fn read(name: &str, dialect: Dialect) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../testdata/captures")
            .join(name);
        let text = std::fs::read(path).expect("the recording is in testdata");
        let mut capture = Self {
            dialect,
            events: Vec::new(),
            categories: CategoryTree::default(),
        };
        for line in text.split(|&byte| byte == b'\n') {
            // Connection and time are the recorder's; ids stand before events.
            let arguments: Vec<&[u8]> = line.split(|&byte| byte == b'\t').skip(2).collect();
            match arguments.as_slice() {
                [b"CATEGORY", name, parent @ ..] => capture
                    .categories
                    .register(name, parent.first().copied())
                    .expect("the recorded registration was accepted"),
                [b"EVENT" | b"BEGIN", _, _, _, event @ ..] => {
                    capture.events.push(event.join(&b'\t'));
                }
                _ => {}
            }
        }
        capture
    }
}
