//! Opening of a spool and recovery of the records of earlier processes.

use std::{collections::VecDeque, io, sync::Arc};

use crate::{
    sync::Mutex,
    system::{REAL, System},
};

use super::{
    SpoolError, SpoolErrorKind, SpoolReader, SpoolSettings, SpoolWriter,
    cursor::{Cursor, Position},
    folder::Folder,
    index::{Extent, Index, start_of},
    segment::{self, Header},
    window::Window,
    writer::{Next, Room},
};

/// Number of the first segment of a spool.
const FIRST_SEGMENT: u64 = 1;

/// Opens a spool and returns its two ends.
///
/// ```
/// use fantail_transport::{Batch, BatchLimits, spool::{self, SpoolSettings}};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let settings = SpoolSettings::new(folder.path().join("spool"));
/// let mut batch = Batch::new();
/// batch.push(b"survives");
/// {
///     let (mut writer, _) = spool::open(&settings)?;
///     assert_eq!(writer.append(batch.payloads()).taken, 1);
/// }
/// // Later, in another process.
/// let (_, mut reader) = spool::open(&settings)?;
/// reader.read(&mut batch, BatchLimits::default())?;
/// assert_eq!(batch.iter().collect::<Vec<_>>(), [b"survives"]);
/// reader.settle(1)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The folder cannot be created, read or written, or another queue uses it.
pub fn open(settings: &SpoolSettings) -> Result<(SpoolWriter, SpoolReader), SpoolError> {
    open_on(&REAL, settings)
}

/// Opens a spool on a system; see [`open`].
///
/// # Errors
/// As for [`open`].
pub fn open_on(
    system: &'static dyn System,
    settings: &SpoolSettings,
) -> Result<(SpoolWriter, SpoolReader), SpoolError> {
    let folder = Folder::new(system, &settings.folder, settings.fsync);
    recover(&folder, settings).map_err(|error| {
        let kind = match error.kind() {
            io::ErrorKind::ResourceBusy => SpoolErrorKind::InUse,
            _ => SpoolErrorKind::Open,
        };
        folder.error(kind, error)
    })
}

fn recover(folder: &Folder, settings: &SpoolSettings) -> io::Result<(SpoolWriter, SpoolReader)> {
    let lock = folder.lock()?;
    let (mut cursor, saved) = Cursor::open(folder)?;
    if folder.is_durable
        && let Some((file, save)) = cursor.start_sync()?
    {
        // An earlier process may not have done it, and the segments before the
        // position are removed now.
        file.sync()?;
        cursor.end_sync(save, true);
    }
    let listed = folder.segments()?;
    let last = listed.last().copied().unwrap_or(0);
    let mut found = survey(folder, &listed, saved)?;
    let first = found.extents.front();
    let origin = saved.or_else(|| origin(&listed));
    let mut read = origin.or_else(|| first.map(start_of)).unwrap_or_default();
    let mut damaged = found.lost;
    if origin.is_none() && first.map(|first| first.segment) != listed.first().copied() {
        // Without a position, at least one record of the first segment is lost.
        damaged = damaged.max(1);
    }
    if let Some(first) = first
        && read.segment < first.segment
    {
        damaged += first.first.saturating_sub(read.number);
        read = start_of(first);
    }
    let numbered = found.extents.back().map_or(0, |last| last.next);
    let next_number = numbered.max(read.number);
    // The position may be after a piece that a power loss destroyed.
    if let Some(last) = found.extents.back_mut() {
        last.next = last.next.max(next_number);
    }
    let room = Room::new(settings.bytes);
    let index = Index {
        folder: folder.clone(),
        cursor,
        bytes: found.extents.iter().map(|extent| extent.end).sum(),
        // Records in flight cannot be displaced, so they span at most two
        // segments.
        max_read_bytes: usize::try_from(room.segment).unwrap_or(usize::MAX),
        extents: found.extents,
        growing: None,
        read,
        settled: read,
        in_flight: 0,
    };
    let recovered = index.waiting() + damaged;
    let index = Arc::new(Mutex::new(index));
    let next = Next {
        segment: last.max(read.segment) + 1,
        number: next_number,
    };
    let writer = SpoolWriter::new(
        folder.clone(),
        Arc::clone(&index),
        Arc::clone(&lock),
        settings,
        room,
        next,
    );
    Ok((writer, SpoolReader::new(index, lock, recovered, damaged)))
}

/// Returns where reading begins if no position was ever saved: at the first
/// record of the spool, as long as its first segment exists, damaged or not.
fn origin(listed: &[u64]) -> Option<Position> {
    let is_first = listed.first() == Some(&FIRST_SEGMENT);
    is_first.then_some(Position {
        segment: FIRST_SEGMENT,
        offset: segment::RECORDS_OFFSET,
        number: 0,
    })
}

/// Readable segments and the number of lost records.
struct Survey {
    extents: VecDeque<Extent>,
    /// Lost records that leave no gap in the numbers.
    lost: u64,
}

/// Reads the header of each segment and all records of the last one. Removes
/// segments that are settled and those without a header.
fn survey(folder: &Folder, listed: &[u64], saved: Option<Position>) -> io::Result<Survey> {
    let kept = saved.map_or(0, |saved| saved.segment);
    let mut extents: VecDeque<Extent> = VecDeque::new();
    let mut window = None;
    // A segment without a header follows the last good one. How many records it
    // had is unknown.
    let mut headless = false;
    for segment in listed.iter().copied() {
        if segment < kept {
            folder.remove_segment(segment)?;
            continue;
        }
        // After a power loss, a file that was not synced may have the header of an
        // earlier segment with its number.
        let settled = saved.filter(|saved| saved.segment < segment);
        let follows = |header: &Header| {
            let least = extents.back().map(|it| it.first);
            least.max(settled.map(|saved| saved.number)) <= Some(header.first)
        };
        let opened = Window::open(folder, segment)?.filter(|(_, header)| follows(header));
        let Some((opened, header)) = opened else {
            headless = true;
            folder.remove_segment(segment)?;
            continue;
        };
        if folder.is_durable {
            // An earlier process may have been killed before it did.
            opened.sync()?;
        }
        headless = false;
        if let Some(before) = extents.back_mut() {
            before.next = header.first.max(before.first);
        }
        extents.push_back(Extent {
            segment,
            first: header.first,
            next: header.first,
            end: opened.file_size()?,
        });
        window = Some(opened);
    }
    let mut lost = u64::from(headless);
    if let (Some(last), Some(mut window)) = (extents.back_mut(), window) {
        last.next = next_number(&mut window, last)? + lost;
        lost = 0;
    }
    folder.sync()?;
    Ok(Survey { extents, lost })
}

/// Returns the number of the next record. A torn end counts as one record, so
/// that it shows as a gap.
fn next_number(window: &mut Window, extent: &Extent) -> io::Result<u64> {
    let mut at = start_of(extent);
    while let Some(found) = window.find(at.offset, extent.end)? {
        at = Position {
            offset: found.end(),
            number: at.number.max(found.number.saturating_add(1)),
            ..at
        };
    }
    let is_torn = at.is_before(extent.segment, extent.end) || extent.end < segment::RECORDS_OFFSET;
    Ok(at.number + u64::from(is_torn))
}
