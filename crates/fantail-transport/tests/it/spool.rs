//! Spools: written payloads are read back, also from damaged files.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::{FileExt, PermissionsExt},
    path::{Path, PathBuf},
};

use fantail_transport::{
    Batch, BatchLimits, Overflow, SpoolErrorKind,
    spool::{self, Fsync, SpoolReader, SpoolSettings, SpoolWriter},
};
use tempfile::TempDir;

use crate::{fifo, target::batch};

/// Bytes of a record of one byte.
const SMALL: u64 = 33;

/// A spool in a folder of its own.
struct SpoolFolder {
    folder: TempDir,
    settings: SpoolSettings,
}

impl SpoolFolder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = SpoolSettings {
            fsync: Fsync::Never,
            ..SpoolSettings::new(folder.path().join("spool"))
        };
        Self { folder, settings }
    }

    fn open(&self) -> (SpoolWriter, SpoolReader) {
        spool::open(&self.settings).unwrap()
    }

    /// Writes `a b c`, reads all, settles the first of them, and closes the spool.
    fn settle_of_three(&self, settled: usize) {
        let (mut writer, mut reader) = self.open();
        write(&mut writer, "a b c");
        check_read(&mut reader, "a b c", 0);
        reader.settle(settled).unwrap();
    }

    fn segments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.settings.folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = paths.filter(|p| p.extension().is_some()).collect();
        paths.sort();
        paths
    }

    fn bytes(&self) -> u64 {
        let segments = self.segments();
        segments
            .iter()
            .map(|path| fs::metadata(path).unwrap().len())
            .sum()
    }
}

fn write(writer: &mut SpoolWriter, words: &str) {
    let batch = batch(words);
    let appended = writer.append(batch.payloads());
    assert_eq!((appended.taken, appended.dropped), (batch.len(), 0));
    assert!(appended.error.is_none());
}

/// Reads all payloads; returns them and the number of damaged ones.
fn read(reader: &mut SpoolReader) -> (String, u64) {
    let (mut words, mut batch) = (Vec::new(), Batch::new());
    loop {
        reader.read(&mut batch, BatchLimits::default()).unwrap();
        if batch.is_empty() {
            return (words.join(" "), reader.take_damaged());
        }
        let texts = batch.iter().map(|p| String::from_utf8(p.to_vec()).unwrap());
        words.extend(texts);
    }
}

fn check_read(reader: &mut SpoolReader, expected: &str, damaged: u64) {
    assert_eq!(read(reader), (expected.to_owned(), damaged));
}

fn cut(path: &Path, size: u64) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(size).unwrap();
}

fn flip(path: &Path, bit: u64) {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, bit / 8).unwrap();
    file.write_all_at(&[byte[0] ^ (1 << (bit % 8))], bit / 8)
        .unwrap();
}

#[test]
fn payloads_are_read_in_order() {
    let spool_folder = SpoolFolder::new();
    let (mut writer, mut reader) = spool_folder.open();
    check_read(&mut reader, "", 0);
    write(&mut writer, "a b");
    write(&mut writer, "c");
    check_read(&mut reader, "a b c", 0);
    check_read(&mut reader, "", 0);
    write(&mut writer, "d");
    check_read(&mut reader, "d", 0);
}

#[test]
fn unsettled_payloads_are_read_again_after_a_restart() {
    let spool_folder = SpoolFolder::new();
    spool_folder.settle_of_three(1);
    for _ in 0..3 {
        let (_, mut reader) = spool_folder.open();
        assert_eq!(reader.recovered(), 2);
        check_read(&mut reader, "b c", 0);
    }
    let (mut writer, mut reader) = spool_folder.open();
    write(&mut writer, "d");
    check_read(&mut reader, "b c d", 0);
    reader.settle(3).unwrap();
    drop((writer, reader));
    let (_, mut reader) = spool_folder.open();
    assert_eq!(reader.recovered(), 0);
    check_read(&mut reader, "", 0);
    assert!(spool_folder.segments().is_empty());
}

#[test]
fn batches_keep_the_limits() {
    let spool_folder = SpoolFolder::new();
    let (mut writer, mut reader) = spool_folder.open();
    let mut batch = Batch::new();
    for bytes in [b"aa".as_slice(), b"bb", b"", b"cccc"] {
        batch.push(bytes);
    }
    assert_eq!(writer.append(batch.payloads()).taken, 4);
    let mut sizes = Vec::new();
    let limits = BatchLimits {
        payloads: 2,
        bytes: 3,
    };
    while {
        reader.read(&mut batch, limits).unwrap();
        !batch.is_empty()
    } {
        sizes.push(batch.len());
    }
    assert_eq!(sizes, [1, 2, 1]);
}

/// `testdata/spool/v1` was written by commit 1064d75, the last with records of
/// version 1: 12 payloads with ids in two segments; two of the payloads are settled.
#[test]
fn a_spool_of_version_1_is_read_and_continued() {
    let spool_folder = SpoolFolder::new();
    let folder = &spool_folder.settings.folder;
    fs::create_dir(folder).unwrap();
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/spool/v1");
    for entry in fs::read_dir(old).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    let (mut writer, mut reader) = spool_folder.open();
    assert_eq!(reader.recovered(), 10);
    write(&mut writer, "new");
    let old = (2..12).map(|n| format!("payload {n} {}", "x".repeat(n * 150)));
    let expected: Vec<_> = old.chain(["new".to_owned()]).collect();
    check_read(&mut reader, &expected.join(" "), 0);
    reader.settle(11).unwrap();
    drop((writer, reader));
    let (_, mut reader) = spool_folder.open();
    assert_eq!(reader.recovered(), 0);
    check_read(&mut reader, "", 0);
    assert!(spool_folder.segments().is_empty());
}

#[test]
fn files_are_private_and_used_by_one() {
    let spool_folder = SpoolFolder::new();
    let (mut writer, _reader) = spool_folder.open();
    write(&mut writer, "a");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = &spool_folder.settings.folder;
    assert_eq!(mode(folder), 0o700);
    for entry in fs::read_dir(folder).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    let error = spool::open(&spool_folder.settings).unwrap_err();
    assert_eq!(error.kind(), SpoolErrorKind::InUse);
    assert_eq!(error.folder(), folder);
}

#[test]
fn links_are_not_followed() {
    for name in ["lock", "cursor"] {
        let spool_folder = SpoolFolder::new();
        let target = spool_folder.folder.path().join("elsewhere");
        fs::create_dir(&spool_folder.settings.folder).unwrap();
        std::os::unix::fs::symlink(&target, spool_folder.settings.folder.join(name)).unwrap();
        assert!(spool::open(&spool_folder.settings).is_err(), "{name}");
        assert!(!target.exists());
    }
}

/// Writes `a b c`, cuts the file to `size` bytes, opens the spool again, writes
/// `d`, and compares the payloads that are read.
fn check_torn(size: u64, expected: &str, damaged: u64) {
    let spool_folder = SpoolFolder::new();
    let (mut writer, reader) = spool_folder.open();
    write(&mut writer, "a b c");
    drop((writer, reader));
    cut(&spool_folder.segments()[0], size);
    let (mut writer, mut reader) = spool_folder.open();
    let words = expected.split_whitespace().count() as u64;
    assert_eq!(reader.recovered(), words - 1 + damaged, "cut to {size}");
    write(&mut writer, "d");
    assert_eq!(
        read(&mut reader),
        (expected.to_owned(), damaged),
        "cut to {size}"
    );
}

#[test]
fn a_torn_end_is_counted_and_the_rest_is_read() {
    let end = 64 + 3 * SMALL;
    check_torn(end, "a b c d", 0);
    // At every byte of the last record. A record that is gone leaves no trace.
    for size in 64 + 2 * SMALL + 1..end {
        check_torn(size, "a b d", 1);
    }
    check_torn(64 + 2 * SMALL, "a b d", 0);
    check_torn(64 + SMALL + 1, "a d", 1);
    // A segment has its name only since its header is whole.
    for size in [0, 1, 31, 32, 63, 65] {
        check_torn(size, "d", 1);
    }
    check_torn(64, "d", 0);
}

#[test]
fn a_flipped_bit_costs_one_record_wherever_it_is() {
    let template = SpoolFolder::new();
    let (mut writer, reader) = template.open();
    write(&mut writer, "a b c");
    drop((writer, reader));
    let size = fs::metadata(&template.segments()[0]).unwrap().len();
    // Each bit of a byte is the same here; all are flipped where records and
    // headers are read.
    for bit in (0..size).map(|byte| byte * 8 + byte % 8) {
        let spool_folder = SpoolFolder::new();
        fs::create_dir(&spool_folder.settings.folder).unwrap();
        let path = spool_folder.settings.folder.join("0000000000000001.spool");
        fs::copy(&template.segments()[0], &path).unwrap();
        flip(&path, bit);
        let (mut writer, mut reader) = spool_folder.open();
        write(&mut writer, "d");
        let (expected, damaged) = match (bit / 8).checked_sub(64).map(|at| at / SMALL) {
            None => ("a b c d", 0),
            Some(0) => ("b c d", 1),
            Some(1) => ("a c d", 1),
            Some(_) => ("a b d", 1),
        };
        assert_eq!(
            read(&mut reader),
            (expected.to_owned(), damaged),
            "bit {bit}"
        );
    }
}

#[test]
fn a_lost_header_costs_its_segment_and_is_counted() {
    let spool_folder = SpoolFolder::new();
    for words in ["a b", "c d e", "f"] {
        let (mut writer, _) = spool_folder.open();
        write(&mut writer, words);
    }
    let path = spool_folder.segments().remove(1);
    for bit in [0, 32 * 8] {
        flip(&path, bit);
    }
    let (_, mut reader) = spool_folder.open();
    assert_eq!(reader.recovered(), 6);
    check_read(&mut reader, "a b f", 3);
}

#[test]
fn a_first_segment_that_lost_its_header_is_counted_exactly() {
    for size in [0, 31] {
        let spool_folder = SpoolFolder::new();
        for words in ["a b c", "d e"] {
            let (mut writer, _) = spool_folder.open();
            write(&mut writer, words);
        }
        cut(&spool_folder.segments()[0], size);
        let (_, mut reader) = spool_folder.open();
        assert_eq!(reader.recovered(), 5, "{size}");
        check_read(&mut reader, "d e", 3);
    }
}

#[test]
fn a_segment_whose_creation_was_interrupted_is_no_damage() {
    let spool_folder = SpoolFolder::new();
    let (mut writer, reader) = spool_folder.open();
    write(&mut writer, "a");
    drop((writer, reader));
    let left_over = spool_folder.settings.folder.join("segment.new");
    fs::write(&left_over, b"fantail2").unwrap();
    let (mut writer, mut reader) = spool_folder.open();
    write(&mut writer, "b");
    check_read(&mut reader, "a b", 0);
    assert!(!left_over.exists());
}

#[test]
fn files_other_than_regular_ones_are_refused() {
    for name in ["lock", "cursor", "0000000000000001.spool"] {
        let spool_folder = SpoolFolder::new();
        fs::create_dir(&spool_folder.settings.folder).unwrap();
        fifo(&spool_folder.settings.folder.join(name));
        let error = spool::open(&spool_folder.settings).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "cannot open the spool {}: it is not a regular file",
                spool_folder.settings.folder.display()
            )
        );
    }
}

#[test]
fn a_removed_file_is_counted() {
    let spool_folder = SpoolFolder::new();
    for words in ["a b", "c d e", "f", "g"] {
        let (mut writer, _) = spool_folder.open();
        write(&mut writer, words);
    }
    fs::remove_file(spool_folder.segments().remove(1)).unwrap();
    let (mut writer, mut reader) = spool_folder.open();
    assert_eq!(reader.recovered(), 7);
    fs::remove_file(spool_folder.segments().remove(1)).unwrap();
    write(&mut writer, "h");
    check_read(&mut reader, "a b g h", 4);
}

#[test]
fn a_lost_cursor_means_reading_again() {
    let spool_folder = SpoolFolder::new();
    spool_folder.settle_of_three(2);
    fs::File::create(spool_folder.settings.folder.join("cursor")).unwrap();
    let (_, mut reader) = spool_folder.open();
    check_read(&mut reader, "a b c", 0);
}

#[test]
fn a_payload_that_imitates_a_record_is_not_read_as_one() {
    let spool_folder = SpoolFolder::new();
    let (mut writer, reader) = spool_folder.open();
    write(&mut writer, "forged");
    drop((writer, reader));
    // A whole record of another segment, as a payload.
    let mut record = [0; 38];
    let path = spool_folder.segments().remove(0);
    let file = OpenOptions::new().read(true).open(path).unwrap();
    file.read_exact_at(&mut record, 64).unwrap();
    let spool_folder = SpoolFolder::new();
    let (mut writer, reader) = spool_folder.open();
    let mut batch = batch("a");
    batch.push(&record);
    batch.push(b"b");
    assert_eq!(writer.append(batch.payloads()).taken, 3);
    drop((writer, reader));
    flip(&spool_folder.segments()[0], (64 + SMALL) * 8);
    let (_, mut reader) = spool_folder.open();
    check_read(&mut reader, "a b", 1);
}

/// With a constant salt, a payload could imitate a record.
#[test]
fn segments_have_different_salts() {
    let spool_folder = SpoolFolder::new();
    for words in ["a", "b", "c", "d"] {
        let (mut writer, _) = spool_folder.open();
        write(&mut writer, words);
    }
    let salts = spool_folder.segments().into_iter().map(|path| {
        let mut salt = [0; 4];
        let file = fs::File::open(path).unwrap();
        file.read_exact_at(&mut salt, 8).unwrap();
        salt
    });
    assert!(salts.collect::<std::collections::HashSet<_>>().len() > 1);
}

/// Writes records of 1,000 bytes to a spool of 64 KiB, and reads them.
fn fill(overflow: Overflow, records: u64) -> (Vec<u64>, u64) {
    let mut spool_folder = SpoolFolder::new();
    spool_folder.settings.bytes = 64 << 10;
    spool_folder.settings.overflow = overflow;
    let (mut writer, mut reader) = spool_folder.open();
    let mut dropped = 0;
    for record in 0..records {
        let mut batch = Batch::new();
        batch.push(format!("{record:01000}").as_bytes());
        let appended = writer.append(batch.payloads());
        assert_eq!(appended.taken, 1);
        dropped += appended.dropped;
        assert!(spool_folder.bytes() <= 64 << 10);
    }
    let (words, damaged) = read(&mut reader);
    assert_eq!(damaged, 0);
    let numbers = words.split_whitespace().map(|word| word.parse().unwrap());
    (numbers.collect(), dropped)
}

#[test]
fn a_full_spool_drops_and_counts() {
    let (kept, dropped) = fill(Overflow::DropNewest, 200);
    assert!(kept.len() > 50);
    assert_eq!(dropped, 200 - kept.len() as u64);
    assert!(kept.iter().copied().eq(0..kept.len() as u64));

    let (kept, dropped) = fill(Overflow::DropOldest, 200);
    assert!(kept.len() > 45);
    assert_eq!(dropped, 200 - kept.len() as u64);
    assert!(kept.iter().copied().eq(dropped..200));
}

#[test]
fn payloads_in_flight_are_not_displaced() {
    let mut spool_folder = SpoolFolder::new();
    spool_folder.settings.bytes = 64 << 10;
    spool_folder.settings.overflow = Overflow::DropOldest;
    let (mut writer, mut reader) = spool_folder.open();
    let mut text = |number: u64| {
        let mut batch = Batch::new();
        batch.push(format!("{number:01000}").as_bytes());
        let appended = writer.append(batch.payloads());
        assert_eq!(appended.taken, 1);
        appended.dropped
    };
    let mut dropped = text(0) + text(1);
    let mut batch = Batch::new();
    reader.read(&mut batch, BatchLimits::default()).unwrap();
    assert_eq!(batch.len(), 2);
    dropped += (2..200).map(&mut text).sum::<u64>();
    reader.settle(2).unwrap();
    let (words, damaged) = read(&mut reader);
    assert_eq!(damaged, 0);
    let numbers: Vec<u64> = words
        .split_whitespace()
        .map(|word| word.parse().unwrap())
        .collect();
    // The other payloads of the first segment are still there.
    assert_eq!(numbers[..2], [2, 3]);
    assert_eq!(numbers.last(), Some(&199));
    assert_eq!(numbers.len() as u64 + dropped, 198);
    drop(reader);
}

#[test]
fn a_payload_larger_than_an_eighth_is_dropped() {
    let mut spool_folder = SpoolFolder::new();
    spool_folder.settings.bytes = 64 << 10;
    let (mut writer, mut reader) = spool_folder.open();
    let mut batch = batch("a");
    batch.push(&[b'x'; 8 << 10]);
    batch.push(b"b");
    let appended = writer.append(batch.payloads());
    assert_eq!((appended.taken, appended.dropped), (3, 1));
    check_read(&mut reader, "a b", 0);
}

#[test]
fn settled_segments_are_removed() {
    let mut spool_folder = SpoolFolder::new();
    spool_folder.settings.bytes = 64 << 10;
    let (mut writer, mut reader) = spool_folder.open();
    for number in 0..1_000 {
        let mut batch = Batch::new();
        batch.push(format!("{number:01000}").as_bytes());
        let appended = writer.append(batch.payloads());
        assert_eq!((appended.taken, appended.dropped), (1, 0));
        reader.read(&mut batch, BatchLimits::default()).unwrap();
        assert_eq!(batch.len(), 1);
        reader.settle(1).unwrap();
        assert!(spool_folder.segments().len() <= 2);
    }
}

#[test]
fn each_policy_writes() {
    let policies = [
        Fsync::Never,
        Fsync::Interval(std::time::Duration::ZERO),
        Fsync::Always,
    ];
    for fsync in policies {
        let mut spool_folder = SpoolFolder::new();
        spool_folder.settings.fsync = fsync;
        let (mut writer, mut reader) = spool_folder.open();
        assert_eq!(writer.sync_due(), None);
        write(&mut writer, "a b");
        let interval = matches!(fsync, Fsync::Interval(_));
        assert_eq!(writer.sync_due().is_some(), interval, "{fsync:?}");
        writer.sync().unwrap();
        assert_eq!(writer.sync_due(), None);
        check_read(&mut reader, "a b", 0);
    }
}
