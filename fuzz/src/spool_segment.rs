//! Spools: written payloads are read, and damage affects only damaged records.
//!
//! The input is lines, each an order to a spool in a separate folder: `a` and a
//! payload appends it; `r N` reads at most N payloads; `s N` settles N of them;
//! `o` opens the spool again. Other orders damage its files:
//! `x FILE OFFSET BYTE` writes a byte, `t FILE LENGTH` cuts a file, `d FILE`
//! removes one, where FILE is its position in the folder; `w VERSION SALT FIRST` creates a
//! segment after the others, `R NUMBER TIME` and a payload appends a record
//! with its checksums to the last one, and `b` appends bytes.

use std::{
    collections::{BTreeSet, VecDeque},
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use fantail_transport::{
    Batch, BatchLimits,
    spool::{self, Fsync, SpoolReader, SpoolSettings, SpoolWriter},
};

/// The maximum number of orders; more would only take time.
const ORDERS: usize = 60;
const MAX_OFFSET: u64 = 100_000;
/// A number above that of any record.
const MAX_NUMBER: u64 = 1 << 62;

/// Without damage, a spool returns its payloads in order, returns unsettled
/// ones again after it is opened again, and counts no damage. With any damage
/// it opens, returns only payloads that were written, and later payloads are
/// read.
///
/// # Panics
/// Panics if one of these does not hold.
pub fn spool_segment(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut spool = Spool::new(folder.path().join("spool"));
    for order in data.split(|&byte| byte == b'\n').take(ORDERS) {
        spool.obey(order);
    }
    spool.append(b"the last one");
    spool.reopen();
    let last = spool.read_all().pop();
    assert_eq!(last.as_deref(), Some(&b"the last one"[..]));
    spool.reopen();
    assert_eq!(spool.read_all(), Vec::<Vec<u8>>::new());
}

struct Spool {
    settings: SpoolSettings,
    ends: Option<(SpoolWriter, SpoolReader)>,
    /// All payloads that were ever written.
    written: BTreeSet<Vec<u8>>,
    /// The payloads that wait to be read, and those that were read and are not
    /// settled.
    waiting: VecDeque<Vec<u8>>,
    in_flight: VecDeque<Vec<u8>>,
    is_damaged: bool,
    batch: Batch,
    /// The salt and layout of the last created segment.
    made: Option<(u32, bool)>,
}

impl Spool {
    fn new(folder: PathBuf) -> Self {
        let mut settings = SpoolSettings::new(folder);
        settings.fsync = Fsync::Never;
        let mut spool = Self {
            settings,
            ends: None,
            written: BTreeSet::new(),
            waiting: VecDeque::new(),
            in_flight: VecDeque::new(),
            is_damaged: false,
            batch: Batch::new(),
            made: None,
        };
        spool.reopen();
        spool
    }

    fn obey(&mut self, order: &[u8]) {
        let Some((kind, rest)) = order.split_first() else {
            return;
        };
        let mut parts = rest.trim_ascii_start().splitn(3, |&byte| byte == b' ');
        let mut next = || parts.next().unwrap_or_default();
        match kind {
            b'a' => self.append(rest),
            b'r' => _ = self.read(number(next()) as usize % 100 + 1),
            b's' => self.settle(number(next()) as usize),
            b'o' => self.reopen(),
            b'x' => self.damage(next(), number(next()), |file, at| {
                file.write_all_at(&[order.last().copied().unwrap_or(0)], at)
            }),
            b't' => self.damage(next(), number(next()), fs::File::set_len),
            b'd' => self.remove(next()),
            b'w' => self.make(number(next()), number(next()), number(next())),
            b'R' => {
                let (record, time) = (number(next()), number(next()));
                self.record(record.min(MAX_NUMBER), time, next());
            }
            b'b' => self.add(rest),
            _ => {}
        }
    }

    fn reopen(&mut self) {
        // Both ends hold the lock.
        self.ends = None;
        let (writer, mut reader) = spool::open(&self.settings).expect("a spool opens");
        while let Some(unsettled) = self.in_flight.pop_back() {
            self.waiting.push_front(unsettled);
        }
        if !self.is_damaged {
            assert_eq!(reader.recovered(), self.waiting.len() as u64);
            assert_eq!(reader.take_damaged(), 0);
        }
        self.ends = Some((writer, reader));
    }

    /// Opens the spool after damage.
    fn open(&mut self) {
        if self.ends.is_none() {
            self.reopen();
        }
    }

    fn append(&mut self, payload: &[u8]) {
        self.batch.clear();
        self.batch.push(payload);
        self.open();
        let (writer, _) = self.ends.as_mut().expect("an open spool");
        let appended = writer.append(self.batch.payloads());
        assert_eq!((appended.taken, appended.dropped), (1, 0));
        self.written.insert(payload.to_vec());
        self.waiting.push_back(payload.to_vec());
    }

    fn read(&mut self, payloads: usize) -> usize {
        let limits = BatchLimits {
            payloads,
            ..BatchLimits::default()
        };
        self.open();
        let (_, reader) = self.ends.as_mut().expect("an open spool");
        let read = reader.read(&mut self.batch, limits);
        assert!(read.is_ok() || self.is_damaged, "{read:?}");
        assert!(self.batch.len() <= payloads);
        assert!(self.is_damaged || reader.take_damaged() == 0);
        for payload in self.batch.iter() {
            assert!(self.written.contains(payload), "{payload:?}");
            if !self.is_damaged {
                assert_eq!(self.waiting.pop_front().as_deref(), Some(payload));
            }
            self.in_flight.push_back(payload.to_vec());
        }
        self.batch.len()
    }

    fn settle(&mut self, payloads: usize) {
        let payloads = payloads.min(self.in_flight.len());
        self.open();
        let (_, reader) = self.ends.as_mut().expect("an open spool");
        let settled = reader.settle(payloads);
        assert!(settled.is_ok() || self.is_damaged, "{settled:?}");
        self.in_flight.drain(..payloads);
    }

    fn read_all(&mut self) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        while self.read(50) > 0 {
            all.extend(self.in_flight.iter().cloned());
            self.settle(usize::MAX);
        }
        assert!(self.is_damaged || self.waiting.is_empty());
        all
    }

    /// Stops first: a process finds damage when it starts.
    fn stop(&mut self) {
        self.ends = None;
        self.is_damaged = true;
        self.waiting.clear();
        self.in_flight.clear();
    }

    fn file(&self, position: &[u8]) -> Option<PathBuf> {
        let files = self.files();
        let position = number(position) as usize % files.len().max(1);
        files.into_iter().nth(position)
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.settings.folder).into_iter().flatten();
        let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        files
    }

    fn damage(
        &mut self,
        position: &[u8],
        at: u64,
        damage: impl FnOnce(&fs::File, u64) -> std::io::Result<()>,
    ) {
        self.stop();
        if let Some(path) = self.file(position) {
            let file = OpenOptions::new().write(true).open(path).expect("a file");
            damage(&file, at % MAX_OFFSET).expect("a file can be changed");
        }
    }

    fn remove(&mut self, position: &[u8]) {
        self.stop();
        if let Some(path) = self.file(position) {
            fs::remove_file(path).expect("a file can be removed");
        }
    }

    /// Returns the path of the last segment, and its number.
    fn last_segment(&self) -> Option<(PathBuf, u64)> {
        let segment = |path: &Path| {
            let name = path.file_name()?.to_str()?.strip_suffix(".spool")?;
            u64::from_str_radix(name, 16).ok()
        };
        let files = self.files().into_iter();
        let mut segments = files.filter_map(|path| segment(&path).map(|number| (path, number)));
        segments.next_back()
    }

    fn make(&mut self, version: u64, salt: u64, first: u64) {
        self.stop();
        let last = self.last_segment().map_or(0, |(_, number)| number);
        let (salt, is_old) = (salt as u32, version == 1);
        let mut header = if is_old { *b"fantail1" } else { *b"fantail2" }.to_vec();
        header.extend_from_slice(&salt.to_le_bytes());
        header.extend_from_slice(&[0; 4]);
        header.extend_from_slice(&first.min(MAX_NUMBER).to_le_bytes());
        header.extend_from_slice(&[0; 4]);
        header.extend_from_slice(&checksum(0, &header).to_le_bytes());
        let name = format!("{:016x}.spool", last + 1);
        let path = self.settings.folder.join(name);
        append(&path, &[&*header, &*header].concat());
        self.made = Some((salt, is_old));
    }

    fn record(&mut self, number: u64, time: u64, payload: &[u8]) {
        let Some((salt, is_old)) = self.made else {
            return;
        };
        let mut record = b"fTr\xb1".to_vec();
        record.extend_from_slice(&(payload.len() as u32).to_le_bytes());
        record.extend_from_slice(&number.to_le_bytes());
        record.extend_from_slice(&time.to_le_bytes());
        if is_old {
            record.extend_from_slice(&[0; 24]);
        }
        record.extend_from_slice(&checksum(salt, payload).to_le_bytes());
        record.extend_from_slice(&checksum(salt, &record).to_le_bytes());
        record.extend_from_slice(payload);
        self.written.insert(payload.to_vec());
        self.add(&record);
    }

    fn add(&mut self, bytes: &[u8]) {
        self.stop();
        if let Some((path, _)) = self.last_segment() {
            append(&path, bytes);
        }
    }
}

/// Appends to a file, or creates it.
fn append(path: &Path, bytes: &[u8]) {
    let mut options = OpenOptions::new();
    let file = options.append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(bytes))
        .expect("a segment");
}

/// Parses the number at the start of a text; 0 without one.
fn number(text: &[u8]) -> u64 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0_u64, |number, digit| {
        number
            .saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    })
}

/// Returns a CRC-32 that starts from a salt.
fn checksum(salt: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(salt);
    hasher.update(bytes);
    hasher.finalize()
}
