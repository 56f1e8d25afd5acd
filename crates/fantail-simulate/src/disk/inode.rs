//! The bytes of a file.

/// Bytes that a disk writes as a whole.
const SECTOR_BYTES: usize = 512;

/// A file: its bytes, and those that are safe.
#[derive(Debug)]
pub(crate) struct Inode {
    pub(crate) bytes: Vec<u8>,
    /// Unix time in milliseconds.
    pub(crate) created: u64,
    pub(crate) is_locked: bool,
    safe: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    /// Sectors from an offset.
    Write(usize, Vec<u8>),
    Size(usize),
}

impl Inode {
    pub(super) const fn new(created: u64) -> Self {
        Self {
            bytes: Vec::new(),
            created,
            is_locked: false,
            safe: Vec::new(),
            pending: Vec::new(),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8], at: u64) {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        overwrite(&mut self.bytes, at, bytes, &[]);
        // A sector is written with all that the file has there.
        let start = at - at % SECTOR_BYTES;
        let end = (at + bytes.len()).next_multiple_of(SECTOR_BYTES);
        let end = end.min(self.bytes.len());
        let sectors = self.bytes.get(start..end).unwrap_or_default();
        self.pending.push(Change::Write(start, sectors.to_vec()));
    }

    pub(crate) fn set_size(&mut self, size: u64) {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        self.bytes.resize(size, 0);
        self.pending.push(Change::Size(size));
    }

    pub(crate) fn read(&self, buffer: &mut [u8], at: u64) -> usize {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let found = self.bytes.get(at..).unwrap_or_default();
        let count = found.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(found) {
            *to = *from;
        }
        count
    }

    pub(crate) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            match change {
                Change::Write(at, written) => overwrite(&mut self.safe, at, &written, &[]),
                Change::Size(size) => self.safe.resize(size, 0),
            }
        }
    }

    /// Fails a sync as Linux does: the bytes can be read until the machine stops,
    /// count as written, and are lost, also when a later sync succeeds.
    pub(crate) fn fail_sync(&mut self) {
        self.pending.clear();
    }

    /// Keeps the safe bytes and any part of the others.
    pub(super) fn lose_power(&mut self, random: &mut fastrand::Rng, stale: &[u8]) {
        self.is_locked = false;
        let mut bytes = std::mem::take(&mut self.safe);
        let least = bytes.len();
        // All, none, or half of the sectors.
        let kept = random.u32(..3);
        let filler = if random.bool() { stale } else { &[] };
        for change in std::mem::take(&mut self.pending) {
            match change {
                Change::Write(at, written) => {
                    let mut at = at;
                    let mut rest = written.as_slice();
                    while !rest.is_empty() {
                        let count = rest.len().min(SECTOR_BYTES - at % SECTOR_BYTES);
                        let (sector, others) = rest.split_at(count);
                        let survives = kept == 2 || (kept == 1 && random.bool());
                        if survives {
                            overwrite(&mut bytes, at, sector, filler);
                        }
                        at += count;
                        rest = others;
                    }
                }
                Change::Size(size) => {
                    if random.bool() {
                        bytes.resize(size, 0);
                    }
                }
            }
        }
        if bytes.len() > least && kept == 1 && random.bool() {
            bytes.truncate(random.usize(least..=bytes.len()));
        }
        self.safe.clone_from(&bytes);
        self.bytes = bytes;
    }
}

/// Returns whether bytes at an offset are in one sector.
pub(crate) const fn is_in_one_sector(at: u64, bytes: &[u8]) -> bool {
    let sector = SECTOR_BYTES as u64;
    at % sector + bytes.len() as u64 <= sector
}

/// Writes bytes at an offset. A gap before it gets the filler, then zeros.
fn overwrite(bytes: &mut Vec<u8>, at: usize, written: &[u8], filler: &[u8]) {
    while bytes.len() < at {
        bytes.push(filler.get(bytes.len()).copied().unwrap_or(0));
    }
    let end = at + written.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    if let Some(target) = bytes.get_mut(at..end) {
        target.copy_from_slice(written);
    }
}
