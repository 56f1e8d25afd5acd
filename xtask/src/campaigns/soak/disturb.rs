//! What administrators and accidents do to the server of a soak.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    Run,
    server::{self, Sockets},
};
use crate::{
    campaigns::attack::clients::{self, ANSWER_TIMEOUT},
    campaigns::diff::random::Random,
    error::Error,
    measure::compare::feed,
};

/// The time between two disturbances.
const PAUSE: Duration = Duration::from_millis(50);

/// The number of metrics that are added and removed.
const ADDED: usize = 20;

/// The events that a tap shows before it ends.
const TAPPED: usize = 20;

/// A disturbance.
type Disturbance = (&'static str, fn(&mut Disturber) -> Result<(), Error>);

const DISTURBANCES: &[Disturbance] = &[
    ("reloads", Disturber::reload),
    ("added metrics", Disturber::add),
    ("removed metrics", Disturber::remove),
    ("scrapes", Disturber::scrape),
    ("dumps", Disturber::dump),
    ("taps", Disturber::tap),
    ("kills of the target", Disturber::kill_target),
];

/// How often each disturbance was done.
#[derive(Debug, Default)]
pub(super) struct Done(BTreeMap<&'static str, u64>);

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (what, count)) in self.0.iter().enumerate() {
            write!(f, "{}{count} {what}", if number == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

struct Disturber {
    sockets: Sockets,
    random: Random,
    target: Option<Target>,
}

/// Disturbs the server until the end.
pub(super) fn until_the_end(sockets: &Sockets, run: &Run, seed: u64) -> Result<Done, Error> {
    let mut done = Done::default();
    let mut disturber = Disturber {
        sockets: sockets.clone(),
        random: Random::new(seed, 0),
        target: Some(Target::bind(&sockets.target)?),
    };
    while !run.is_over() {
        let (what, disturb) = *disturber.random.pick(DISTURBANCES);
        disturb(&mut disturber).map_err(|error| Error::caused(what, error))?;
        *done.0.entry(what).or_default() += 1;
        thread::sleep(PAUSE);
    }
    Ok(done)
}

impl Disturber {
    fn ask(&self, request: &str) -> Result<String, Error> {
        clients::ask(&self.sockets.reader, request)
    }

    fn reload(&mut self) -> Result<(), Error> {
        let config = &self.sockets.config;
        let folder = config.parent().unwrap_or(config);
        let filter = self
            .random
            .word(&["event=a", "event=imap*", "net_in_bytes > 10"]);
        let text = server::configuration(folder, filter);
        // Whole at any time.
        let new = config.with_extension("new");
        fs::write(&new, text).map_err(Error::at("write", &new))?;
        fs::rename(&new, config).map_err(Error::at("write", config))?;
        match self.ask("FANTAIL-RELOAD")? {
            answer if answer == "+" => Ok(()),
            answer => Err(Error::new(format!("the answer is {answer:?}"))),
        }
    }

    /// Fails if the metric exists.
    fn add(&mut self) -> Result<(), Error> {
        let name = self.random.below(ADDED);
        let filter = self
            .random
            .word(&["event=imap*", "user=user7*", "net_out_bytes > 100"]);
        let request = format!("METRICS-ADD\tadded{name}\t\tnet_in_bytes\tuser\t{filter}\t\t");
        self.accepted_or_refused(&request)
    }

    fn remove(&mut self) -> Result<(), Error> {
        let name = self.random.below(ADDED);
        self.accepted_or_refused(&format!("METRICS-REMOVE\tadded{name}"))
    }

    fn accepted_or_refused(&self, request: &str) -> Result<(), Error> {
        let answer = self.ask(request)?;
        match answer.starts_with(['+', '-']) {
            true => Ok(()),
            false => Err(Error::new(format!("the answer is {answer:?}"))),
        }
    }

    fn scrape(&mut self) -> Result<(), Error> {
        let answer = self.sockets.http.get("/metrics", ANSWER_TIMEOUT)?;
        match answer.status == 200 && answer.body.ends_with("# EOF\n") {
            true => Ok(()),
            false => Err(Error::new(format!("status {}, or no end", answer.status))),
        }
    }

    fn dump(&mut self) -> Result<(), Error> {
        feed::dump(&self.sockets.reader, "count\tmedian\t%95").map(drop)
    }

    fn tap(&mut self) -> Result<(), Error> {
        let failed = |error| Error::caused("the stats-reader socket", error);
        let mut stream = UnixStream::connect(&self.sockets.reader).map_err(failed)?;
        stream
            .set_read_timeout(Some(ANSWER_TIMEOUT))
            .map_err(failed)?;
        let request = format!(
            "VERSION\tstats-reader-client\t2\t0\n\
             FANTAIL-TAP\tuser=user1*\tjson\t{TAPPED}\t30\t1000\n"
        );
        stream.write_all(request.as_bytes()).map_err(failed)?;
        // Some taps leave before their end.
        let lines = 1 + self.random.below(2 * TAPPED);
        for line in BufReader::new(stream).lines().take(lines) {
            if line.map_err(failed)?.starts_with("END") {
                break;
            }
        }
        Ok(())
    }

    /// Ends the target of an exporter, or starts it again.
    fn kill_target(&mut self) -> Result<(), Error> {
        self.target = match self.target.take() {
            Some(_) => None,
            None => Some(Target::bind(&self.sockets.target)?),
        };
        Ok(())
    }
}

/// A target of exports. It reads all that it gets, and breaks off when it is dropped.
struct Target {
    path: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Target {
    fn bind(path: &Path) -> Result<Self, Error> {
        let listener = UnixListener::bind(path).map_err(Error::at("bind", path))?;
        let set = listener.set_nonblocking(true);
        set.map_err(Error::at("use", path))?;
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => read_until(&is_over, stream),
                    Err(_) => thread::sleep(Duration::from_millis(10)),
                }
            }
        });
        Ok(Self {
            path: path.to_owned(),
            stop,
            thread: Some(thread),
        })
    }
}

fn read_until(is_over: &AtomicBool, mut stream: UnixStream) {
    let set = stream.set_read_timeout(Some(Duration::from_millis(20)));
    let mut part = vec![0; 64 << 10];
    while set.is_ok() && !is_over.load(Ordering::Relaxed) {
        match stream.read(&mut part) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = fs::remove_file(&self.path);
    }
}
