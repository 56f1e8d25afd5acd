//! A running server, and the clients of its sockets.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use fantail_server::{Handle, Log, Server, ServerError, ServerOptions};
use tempfile::TempDir;

/// More than any answer should ever take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A metric that counts every event with a name, and its field `x`.
pub(crate) const ALL: &str = "metric all {\n  filter = event=*\n  fields = x\n}\n";

/// The first line of a client.
pub(crate) const VERSION: &str = "VERSION\tstats-client\t4\t0\n";

/// Whose turn it is: a test that counts what this process has must be alone in
/// it.
static TURN: RwLock<()> = RwLock::new(());

/// A test's turn, together with others or alone.
enum Turn {
    Shared {
        _turn: RwLockReadGuard<'static, ()>,
    },
    Alone {
        _turn: RwLockWriteGuard<'static, ()>,
    },
}

impl Turn {
    fn shared() -> Self {
        let _turn = TURN.read().unwrap_or_else(PoisonError::into_inner);
        Self::Shared { _turn }
    }

    fn alone() -> Self {
        let _turn = TURN.write().unwrap_or_else(PoisonError::into_inner);
        Self::Alone { _turn }
    }
}

/// A server at work. It is stopped at the end of the test.
pub(crate) struct Fixture {
    pub(crate) folder: TempDir,
    pub(crate) handle: Handle,
    pub(crate) http: Option<SocketAddr>,
    pub(crate) log: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<Result<(), ServerError>>>,
    _turn: Turn,
}

impl Fixture {
    /// A server with this configuration, without HTTP.
    pub(crate) fn new(configuration: &str) -> Self {
        Self::with(configuration, |_| {})
    }

    /// A server with these options.
    pub(crate) fn with(configuration: &str, change: impl FnOnce(&mut ServerOptions)) -> Self {
        Self::within(tempfile::tempdir().unwrap(), configuration, change)
    }

    /// A server with these options, while no other test has one.
    pub(crate) fn alone(configuration: &str, change: impl FnOnce(&mut ServerOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::in_turn(Turn::alone(), folder, configuration, change)
    }

    /// A server in this folder, where another may have been.
    pub(crate) fn within(
        folder: TempDir,
        configuration: &str,
        change: impl FnOnce(&mut ServerOptions),
    ) -> Self {
        Self::in_turn(Turn::shared(), folder, configuration, change)
    }

    fn in_turn(
        turn: Turn,
        folder: TempDir,
        configuration: &str,
        change: impl FnOnce(&mut ServerOptions),
    ) -> Self {
        let run = folder.path().join("run");
        fs::create_dir_all(run.join("login")).unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        let log_to = Log::new(move |line| lines.lock().unwrap().push(line.to_owned()));
        configure(folder.path(), configuration);
        let mut options = ServerOptions::new(folder.path().join("fantail.conf"), log_to);
        options.workers = 2;
        options.patience = Duration::from_secs(2);
        change(&mut options);
        let server = Server::start(options).unwrap();
        Self {
            handle: server.handle(),
            http: server.http_addresses().first().copied(),
            log,
            thread: Some(thread::spawn(move || server.run())),
            folder,
            _turn: turn,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes another configuration; it counts from the next reload on.
    pub(crate) fn configure(&self, configuration: &str) {
        configure(self.folder.path(), configuration);
    }

    /// A client that was greeted.
    pub(crate) fn writer(&self) -> Writer {
        Writer::connect(&self.path("run/stats-writer"))
    }

    /// A client that sends this after its handshake, and reads to the end.
    pub(crate) fn send(&self, lines: &str) {
        let mut writer = self.writer();
        writer.send(VERSION.as_bytes());
        writer.send(lines.as_bytes());
        writer.finish();
    }

    /// A client of the other socket.
    pub(crate) fn reader(&self) -> Reader {
        Reader::connect(&self.path("run/stats-reader"))
    }

    /// The dump with these columns, its lines sorted.
    pub(crate) fn dump(&self, columns: &str) -> String {
        let mut lines = self.reader().dump(&format!("DUMP\t{columns}"));
        lines.sort_unstable();
        lines.join("\n")
    }

    /// How many events the metric `all` has.
    pub(crate) fn count(&self) -> u64 {
        let lines = self.reader().dump("DUMP\tcount");
        let line = lines.iter().find(|line| line.starts_with("all\t"));
        line.unwrap().split('\t').nth(1).unwrap().parse().unwrap()
    }

    /// Returns the memory that connections hold.
    pub(crate) fn held_bytes(&self) -> u64 {
        let (_, body) = self.get("/api/v1/server", "");
        let server: serde_json::Value = serde_json::from_slice(&body).unwrap();
        server["held_bytes"].as_u64().unwrap()
    }

    /// The head and the body of an answer.
    pub(crate) fn get(&self, path: &str, headers: &str) -> (String, Vec<u8>) {
        let mut stream = self.scraper();
        ask(&mut stream, path, headers);
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        split_answer(&answer)
    }

    pub(crate) fn scraper(&self) -> TcpStream {
        let stream = TcpStream::connect(self.http.unwrap()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    pub(crate) fn logged(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Stops it; gives the folder back, for another.
    pub(crate) fn stop(mut self) -> TempDir {
        self.end();
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    fn end(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !thread::panicking() {
                ended.unwrap().unwrap();
                self.wait_for_the_state();
            }
        }
    }
}

impl Fixture {
    /// Waits until the counts are saved: with a busy disk, that takes longer than a
    /// server waits for it at its end.
    fn wait_for_the_state(&self) {
        if !self.logged().contains("was not written in time") {
            return;
        }
        eventually("the state is saved", || {
            let files = fs::read_dir(self.folder.path()).unwrap();
            let names = files.map(|file| file.unwrap().file_name());
            let mut names = names.map(|name| name.into_string().unwrap());
            !names.any(|name| name.starts_with("state.") && name.ends_with(".new"))
        });
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.end();
    }
}

fn configure(folder: &Path, configuration: &str) {
    let base = folder.join("run");
    let text = format!("{configuration}\nbase_dir = {}\n", base.display());
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    fs::write(folder.join("fantail.conf"), text).unwrap();
}

pub(crate) fn ask(stream: &mut TcpStream, path: &str, headers: &str) {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
}

pub(crate) fn split_answer(answer: &[u8]) -> (String, Vec<u8>) {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.expect("the head of an answer");
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let body = &answer[end + 4..];
    if head.contains("transfer-encoding: chunked") {
        let (body, is_whole) = unchunked(body);
        assert!(is_whole, "the answer was cut off");
        return (head, body);
    }
    (head, body.to_vec())
}

/// What chunks hold, and whether the last one is there.
pub(crate) fn unchunked(mut chunks: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(end) = chunks.windows(2).position(|two| two == b"\r\n") else {
            return (body, false);
        };
        let size = std::str::from_utf8(&chunks[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let chunk = &chunks[end + 2..];
        if chunk.len() < size + 2 {
            body.extend_from_slice(&chunk[..size.min(chunk.len())]);
            return (body, false);
        }
        assert_eq!(&chunk[size..size + 2], b"\r\n");
        if size == 0 {
            assert_eq!(chunk.len(), 2, "nothing comes after the last chunk");
            return (body, true);
        }
        body.extend_from_slice(&chunk[..size]);
        chunks = &chunk[size + 2..];
    }
}

/// One of Dovecot's processes.
pub(crate) struct Writer {
    pub(crate) stream: BufReader<UnixStream>,
    /// The filter that it was greeted with, still escaped.
    pub(crate) filter: String,
}

impl Writer {
    pub(crate) fn connect(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut writer = Self {
            stream: BufReader::with_capacity(512, stream),
            filter: String::new(),
        };
        assert_eq!(writer.line(), "VERSION\tstats-server\t4\t0");
        writer.filter = writer.next_filter();
        writer
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.strip_suffix('\n').expect("a whole line").to_owned()
    }

    pub(crate) fn next_filter(&mut self) -> String {
        let line = self.line();
        line.strip_prefix("FILTER\t").expect("a filter").to_owned()
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        // The server may have had enough.
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// Sends nothing more, and waits until the server has read everything.
    pub(crate) fn finish(mut self) {
        let _ = self.stream.get_ref().shutdown(Shutdown::Write);
        self.wait_for_the_end();
    }

    /// Waits until the server closes the connection.
    pub(crate) fn wait_for_the_end(&mut self) {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
    }
}

/// `doveadm stats`, by hand.
pub(crate) struct Reader {
    pub(crate) stream: BufReader<UnixStream>,
}

impl Reader {
    pub(crate) fn connect(path: &Path) -> Self {
        let mut reader = Self::ungreeted(path);
        reader.send("VERSION\tstats-reader-client\t2\t0");
        reader
    }

    pub(crate) fn ungreeted(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut reader = Self {
            stream: BufReader::new(stream),
        };
        assert_eq!(reader.line().unwrap(), "VERSION\tstats-reader-server\t2\t0");
        reader
    }

    pub(crate) fn send(&mut self, line: &str) {
        let line = format!("{line}\n");
        self.stream.get_mut().write_all(line.as_bytes()).unwrap();
    }

    /// The next line; `None` at the end.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(line.strip_suffix('\n').expect("a whole line").to_owned()),
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
                None
            }
        }
    }

    /// The answer of one line.
    pub(crate) fn ask(&mut self, request: &str) -> Option<String> {
        self.send(request);
        self.line()
    }

    /// The lines of a dump.
    pub(crate) fn dump(&mut self, request: &str) -> Vec<String> {
        self.send(request);
        std::iter::from_fn(|| self.line().filter(|line| !line.is_empty())).collect()
    }
}

/// Runs a test in a process of its own: what other tests of this process took and
/// freed would be in its figures.
pub(crate) fn in_own_process(test: impl FnOnce()) {
    const ALONE: &str = "FANTAIL_TEST_ALONE";
    let current = thread::current();
    let name = current.name().unwrap_or("main");
    if std::env::var_os(ALONE).is_some() || name == "main" {
        return test();
    }
    let program = std::env::current_exe().unwrap();
    let mut command = std::process::Command::new(program);
    command.args(["--exact", name, "--nocapture"]);
    let run = command.env(ALONE, "1").output().unwrap();
    let printed = String::from_utf8_lossy(&run.stdout);
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{printed}{errors}");
}

/// Waits until something is true that takes an unknown time.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_true() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A line for an event with a name and a field `x`.
pub(crate) fn event(name: &str, x: u64) -> String {
    format!("EVENT\t0\t0\t1\t100\t0\tn{name}\tIx\t{x}\n")
}

/// How many files this process has open.
pub(crate) fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// How many threads this process has.
pub(crate) fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// Bytes of this process that are in memory.
pub(crate) fn resident() -> usize {
    memory("VmRSS:")
}

/// The most bytes of this process that were in memory since the last
/// [`forget_peak`].
pub(crate) fn peak() -> usize {
    memory("VmHWM:")
}

/// Has the kernel measure the peak from now on.
pub(crate) fn forget_peak() {
    #[allow(clippy::disallowed_methods, reason = "the kernel's file")]
    fs::write("/proc/self/clear_refs", "5").unwrap();
}

/// A number of the kernel about the memory of this process, in bytes.
fn memory(name: &str) -> usize {
    #[allow(clippy::disallowed_methods, reason = "the kernel's text")]
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let lines = &mut status.lines();
    let line = lines.find(|line| line.starts_with(name)).unwrap();
    let kilobytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024
}
