//! Models of threads, run by `cargo xtask models`; not part of the interface.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a model that cannot go on has failed"
)]

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use shuttle::thread;

use crate::process::{log::queue::LineQueue, record::buffer::Buffer};

/// Longer than a model runs.
const PATIENCE: Duration = Duration::from_secs(86_400);

/// Lines of a thread.
const EACH: usize = 3;

/// Where lines are written.
#[derive(Debug, Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        thread::yield_now();
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Returns how many lines of a thread there are; they are its first ones, in order.
fn numbers_of(name: &str, text: &str) -> usize {
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with(name)).collect();
    let expected: Vec<String> = (0..lines.len()).map(|at| format!("{name}{at}")).collect();
    assert_eq!(lines, expected, "{text}");
    lines.len()
}

/// Two threads that log, one that flushes, and the end of the log: each line is written,
/// those of a thread in order, and each wait ends.
pub fn lines_pass_the_queue_of_the_log() {
    let written = Written::default();
    let queue = {
        let mut written = written.clone();
        let write = move |line: &str| {
            io::Write::write_all(&mut written, format!("{line}\n").as_bytes()).unwrap();
        };
        Arc::new(LineQueue::start(write).unwrap())
    };
    let threads = ["a", "b"].map(|name| {
        let (queue, written) = (Arc::clone(&queue), written.clone());
        thread::spawn(move || {
            for number in 0..EACH {
                queue.push(&format!("{name}{number}"));
            }
            // shuttle has no time: a wait without a signal never ends.
            assert!(queue.flush(PATIENCE));
            assert_eq!(numbers_of(name, &written.text()), EACH);
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(queue.dropped(), 0);
    drop(queue);
}

/// Two workers that record, the thread of the file, and one that ends the recording:
/// the file has all recorded lines, those of a worker in order, and each wait ends.
pub fn lines_pass_the_buffer_of_a_recording() {
    let buffer = Arc::new(Buffer::new(u64::MAX, 1024));
    let written = Written::default();
    let file = {
        let (buffer, written) = (Arc::clone(&buffer), written.clone());
        thread::spawn(move || {
            buffer.write_all(written, None);
            buffer.finish()
        })
    };
    let workers = ["a", "b"].map(|name| {
        let buffer = Arc::clone(&buffer);
        thread::spawn(move || {
            for number in 0..EACH {
                let line = number.to_string();
                buffer.record(b"", name.as_bytes(), std::iter::once(line.as_bytes()));
            }
        })
    });
    let ends = {
        let buffer = Arc::clone(&buffer);
        thread::spawn(move || {
            thread::yield_now();
            buffer.end("it was stopped");
        })
    };
    assert!(buffer.wait(PATIENCE));
    let text = written.text();
    let end = file.join().unwrap();
    assert_eq!(end.recorded, text.len() as u64);
    assert_eq!(end.why, "it was stopped");
    numbers_of("a", &text);
    numbers_of("b", &text);
    for worker in workers {
        worker.join().unwrap();
    }
    ends.join().unwrap();
    // Nothing is recorded after the end.
    assert_eq!(buffer.status().0, text.len() as u64);
}
