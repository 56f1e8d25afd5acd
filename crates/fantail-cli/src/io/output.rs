//! Outputs of commands: a file, or standard output for `-`.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::exit::Failure;

/// An output.
pub(crate) struct Output {
    path: PathBuf,
    writer: BufWriter<Box<dyn Write + Send>>,
}

impl Output {
    /// Creates a file, or opens standard output for `-`.
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

    /// Writes a line without buffering.
    pub(crate) fn write_line(&mut self, line: &[u8]) -> Result<(), Failure> {
        let written = self
            .write_all(line)
            .and_then(|()| self.write_all(b"\n"))
            .and_then(|()| self.flush());
        written.map_err(|error| Failure::file("write to", &self.path, &error))
    }

    /// Writes the whole output.
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
