//! The source of a capture: a file or standard input, compressed or not.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Cursor, IsTerminal, Read, Seek, SeekFrom, Write},
    path::Path,
};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

use crate::{exit::Failure, io::progress::Progress};

/// The first bytes of files of gzip and zstd.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The number of bytes that are copied at a time.
const COPY_BYTES: usize = 64 << 10;

/// The folder for large temporary files.
const LARGE_TEMPORARY_FILES: &str = "/var/tmp";

/// Opens a capture as a file that can be read again: the file itself, or a
/// temporary file with the contents of standard input or of a compressed file.
pub(super) fn open(path: &Path) -> Result<File, Failure> {
    open_file(path).map_err(|error| Failure::file("read", path, &error))
}

fn open_file(path: &Path) -> io::Result<File> {
    if path == Path::new("-") {
        if io::stdin().is_terminal() {
            let why = "no capture is given: name a file, or pipe one into standard input";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let mut input = io::stdin().lock();
        let start = first_bytes(&mut input)?;
        let whole = Cursor::new(start.clone()).chain(input);
        return spool(&start, whole, None);
    }
    let mut file = File::open(path)?;
    let start = first_bytes(&mut file)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        file.seek(SeekFrom::Start(0))?;
        if !start.starts_with(&GZIP) && !start.starts_with(&ZSTD) {
            return Ok(file);
        }
        return spool(&start, file, Some(metadata.len()));
    }
    let whole = Cursor::new(start.clone()).chain(file);
    spool(&start, whole, None)
}

fn first_bytes(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(ZSTD.len());
    from.take(ZSTD.len() as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// Copies and decompresses an input into a temporary file without a name.
fn spool(start: &[u8], whole: impl Read, size: Option<u64>) -> io::Result<File> {
    let progress = Progress::new("decompressing", size.unwrap_or(0));
    let counted = Counted {
        inner: whole,
        progress,
    };
    let mut file = temporary_file()?;
    if start.starts_with(&GZIP) {
        copy(&mut MultiGzDecoder::new(counted), &mut file)?;
    } else if start.starts_with(&ZSTD) {
        let mut input = BufReader::with_capacity(COPY_BYTES, counted);
        // A file may have several frames: `cat a.zst b.zst`.
        while !input.fill_buf()?.is_empty() {
            let frame = StreamingDecoder::new(&mut input);
            let mut frame = frame.map_err(io::Error::other)?;
            copy(&mut frame, &mut file)?;
        }
    } else {
        let mut counted = counted;
        copy(&mut counted, &mut file)?;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn temporary_file() -> io::Result<File> {
    let large = Path::new(LARGE_TEMPORARY_FILES);
    if std::env::var_os("TMPDIR").is_none() && large.is_dir() {
        return tempfile::tempfile_in(large);
    }
    tempfile::tempfile()
}

fn copy(from: &mut impl Read, to: &mut File) -> io::Result<()> {
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => to.write_all(buffer.get(..count).unwrap_or(&buffer))?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// An input that shows how much of it was read.
struct Counted<R> {
    inner: R,
    progress: Progress,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.progress.add(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    #[track_caller]
    fn check(written: &[u8], expected: &[u8]) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(written).unwrap();
        let mut text = Vec::new();
        let opened = open_file(file.path());
        opened.unwrap().read_to_end(&mut text).unwrap();
        assert!(text == expected);
    }

    #[test]
    fn compressed_files_are_read_as_what_was_compressed() {
        let text = b"1\t2\tEND\t3\n".repeat(50_000);
        check(&text, &text);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&text).unwrap();
        let gzip = gzip.finish().unwrap();
        check(&gzip, &text);
        check(&gzip.repeat(2), &text.repeat(2));
        let zstd = compress_to_vec(text.as_slice(), CompressionLevel::Fastest);
        check(&zstd, &text);
        check(&zstd.repeat(2), &text.repeat(2));
        check(b"", b"");
        check(b"x", b"x");
    }
}
