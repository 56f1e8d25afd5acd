//! `fantail-wire`: parsing a client's bytes as lines, commands and sent events.
//!
//! One iteration is one whole recording; criterion's figures per element are
//! for one line. Each benchmark includes the previous ones of its group.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fantail_benches::{Recording, group};
use fantail_wire::{
    Command, Connection, Intake, Limits,
    lines::{LineBuffer, MAX_WRITER_LINE_BYTES},
};

/// The size of a read from a socket.
const READ: usize = 64 * 1024;

fn stages(criterion: &mut Criterion) {
    let recording = Recording::dovecot_2_4();
    let clients = recording.clients();
    let streams: Vec<Vec<u8>> = clients.iter().map(|lines| lines.join(&b'\n')).collect();
    let lines = clients.iter().map(Vec::len).sum();
    let mut group = group(criterion, "wire", lines);
    group.bench_function("baseline", |bencher| {
        bencher.iter(|| {
            for stream in &streams {
                for read in stream.chunks(READ) {
                    black_box(read);
                }
            }
        });
    });
    group.bench_function("lines", |bencher| {
        bencher.iter(|| {
            for stream in &streams {
                each_line(stream, |line| _ = black_box(line));
            }
        });
    });
    group.bench_function("commands", |bencher| {
        bencher.iter(|| {
            for stream in &streams {
                each_line(stream, |line| _ = black_box(Command::parse(line)));
            }
        });
    });
    group.bench_function("sent_events", |bencher| {
        bencher.iter(|| {
            let mut intake = Intake::new();
            for stream in &streams {
                let mut connection = Connection::new(recording.dialect, Limits::default());
                each_line(stream, |line| {
                    let handled = connection.handle(line, &mut intake, |activity| {
                        black_box(activity);
                    });
                    _ = black_box(handled);
                });
                connection.close(&mut intake, |_| {});
            }
        });
    });
    group.finish();
}

fn each_line(stream: &[u8], mut run: impl FnMut(&[u8])) {
    let mut buffer = LineBuffer::new(MAX_WRITER_LINE_BYTES);
    for read in stream.chunks(READ) {
        buffer.push(read);
        while let Ok(Some(line)) = buffer.next_line() {
            run(line);
        }
    }
    run(buffer.rest());
}

criterion_group!(benches, stages);
criterion_main!(benches);
