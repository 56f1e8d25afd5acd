//! Where commands write: a file, or standard output for `-`.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::exit::Failure;

/// An output that was asked for.
pub(crate) struct Output {
    path: PathBuf,
    writer: BufWriter<Box<dyn Write + Send>>,
}

impl Output {
    /// Opens a file anew, or standard output for `-`.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let standard = path == Path::new("-");
        let writer: Box<dyn Write + Send> = if standard {
            Box::new(io::stdout())
        } else {
            Box::new(File::create(path).map_err(|error| Failure::file("create", path, &error))?)
        };
        Ok(Self {
            path: path.to_owned(),
            writer: BufWriter::new(writer),
        })
    }

    /// Writes a line, at once.
    pub(crate) fn write_line(&mut self, line: &[u8]) -> Result<(), Failure> {
        let written = self
            .write_all(line)
            .and_then(|()| self.write_all(b"\n"))
            .and_then(|()| self.flush());
        written.map_err(|error| Failure::file("write to", &self.path, &error))
    }

    /// Writes all there is to write.
    pub(crate) fn write_whole(mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.write_all(bytes).and_then(|()| self.flush());
        written.map_err(|error| Failure::file("write to", &self.path, &error))
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
