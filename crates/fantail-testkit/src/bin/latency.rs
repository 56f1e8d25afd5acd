//! How long IMAP commands take with Dovecot's own stats process, and with
//! `fantail serve` in its place.
//!
//! Both Dovecots run side by side, with the same metrics and exporters; each
//! round measures one and then the other, the next round the other way round.
//! `cargo xtask bench latency` builds the program before. `--asked` measures only what it
//! costs that all events are asked for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program for people, which ends at what it did not expect"
)]

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use fantail_testkit::{
    dovecot::{Installation, Site, StatsService, Traffic, Users, Version},
    process::{Process, wait_until},
};

/// What is measured, and the commands a connection sends in a round.
const COMMANDS: [(&str, usize); 3] = [
    ("NOOP", 200),
    ("SELECT INBOX", 50),
    ("FETCH 1:* (FLAGS BODY.PEEK[])", 50),
];

/// Connections that send at once.
const CONNECTIONS: [usize; 2] = [1, 20];

const MESSAGES: usize = 10;

/// A log that did not grow for so long has everything.
const QUIET: Duration = Duration::from_millis(300);

fn main() {
    let has = |name: &str| env::args().any(|argument| argument == name);
    let (quick, only_asked) = (has("--quick"), has("--asked"));
    let rounds = if quick { 2 } else { 12 };
    for version in [Version::V2_3, Version::V2_4] {
        if let Some(installation) = Installation::find(version)
            && Traffic::is_here()
        {
            for exports in [false, true].into_iter().filter(|_| !only_asked) {
                measure(&installation, exports, rounds);
            }
            measure_asked(&installation, rounds);
        }
    }
}

fn measure(installation: &Installation, exports: bool, rounds: usize) {
    let name = format!("metrics-{}.conf", installation.version().series());
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../testdata/live")
        .join(name);
    let settings = text(&path);
    let is_wanted = |line: &&str| exports || !line.starts_with("  exporter");
    let settings = settings.lines().filter(is_wanted);
    let settings: String = settings.map(|line| format!("{line}\n")).collect();
    let site = |stats| Site::new(installation, stats, Users::Served, &settings);
    let mut own = site(StatsService::Own);
    own.start();
    let mut other = site(StatsService::Elsewhere);
    let _serve = serve(&other);
    other.start();
    let mut sides = [
        Side::new(&own, own.path("log")),
        Side::new(&other, other.path("serve.log")),
    ];
    take_turns(&mut sides, rounds);
    let version = installation.version_text();
    let what = if exports {
        "metrics and exports"
    } else {
        "metrics"
    };
    println!("\nDovecot {version}, {what}, milliseconds: own stats process, fantail serve\n");
    print_table(["own", "ours"], &mut sides);
    if exports {
        let [own, ours] = sides.map(|mut side| {
            let bytes = middle_one(&mut side.unwritten);
            let time = millis(middle_one(&mut side.behind));
            format!("{} kB, for {time} ms", bytes / 1000)
        });
        println!("\nNot yet in the log when the last command had ended: own {own}; ours {ours}.");
    }
}

/// Measures what it costs mail that all events are asked for, as a page can.
fn measure_asked(installation: &Installation, rounds: usize) {
    let settings = "metric none {\n  filter = event=no_such_event\n}\n";
    let site = || {
        Site::new(
            installation,
            StatsService::Elsewhere,
            Users::Served,
            settings,
        )
    };
    let mut sites = [site(), site()];
    let _servers = [serve(&sites[0]), serve(&sites[1])];
    sites.iter_mut().for_each(Site::start);
    let mut tap = Command::new(program());
    tap.args(["tap", "event=*", "--for", "1h", "--events", "1000000000"]);
    tap.arg("--config").arg(sites[1].config());
    let _tap = Process::start_with(&tap, |command| {
        command.stdout(Stdio::null());
    });
    let log = |site: &Site| Side::new(site, site.path("serve.log"));
    let mut sides = [log(&sites[0]), log(&sites[1])];
    take_turns(&mut sides, rounds);
    let version = installation.version_text();
    println!("\nDovecot {version}, milliseconds: no event is asked for, all are\n");
    print_table(["none", "all"], &mut sides);
}

fn take_turns(sides: &mut [Side; 2], rounds: usize) {
    for round in 0..rounds {
        for at in 0..sides.len() {
            let side = &mut sides[(round + at) % 2];
            side.round();
            side.settle();
        }
    }
}

fn print_table([first, second]: [&str; 2], sides: &mut [Side; 2]) {
    println!(
        "| command | connections | p50 {first} | p50 {second} | ratio | p99 {first} | \
         p99 {second} | ratio |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let [own, ours] = sides;
    for (at, (command, connections)) in cases().enumerate() {
        let command = command.split(' ').next().unwrap();
        print!("| {command} | {connections} |");
        for part in [0.5, 0.99] {
            let [own, ours] = [&mut *own, &mut *ours].map(|side| middle(&mut side.taken[at], part));
            let ratio = ours.as_secs_f64() / own.as_secs_f64();
            print!(" {} | {} | {ratio:.2} |", millis(own), millis(ours));
        }
        println!();
    }
}

fn cases() -> impl Iterator<Item = (&'static str, usize)> {
    let both = |(command, _)| CONNECTIONS.map(|connections| (command, connections));
    COMMANDS.into_iter().flat_map(both)
}

fn millis(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64() * 1000.0)
}

/// Of each round's quantiles the middle one: a round in which the machine did
/// something else counts for no more than one.
fn middle(rounds: &mut [Vec<Duration>], part: f64) -> Duration {
    let mut quantiles: Vec<Duration> = rounds
        .iter_mut()
        .map(|times| quantile(times, part))
        .collect();
    middle_one(&mut quantiles)
}

fn middle_one<T: Copy + Ord>(values: &mut [T]) -> T {
    quantile(values, 0.5)
}

fn quantile<T: Copy + Ord>(times: &mut [T], part: f64) -> T {
    times.sort_unstable();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index of a list"
    )]
    let at = ((times.len() - 1) as f64 * part).round() as usize;
    times[at]
}

/// One of the two Dovecots.
struct Side {
    connections: Vec<Connection>,
    /// What each of the cases took, round by round.
    taken: Vec<Vec<Vec<Duration>>>,
    /// Where exports are written to.
    log: PathBuf,
    /// Bytes that were written into it after the commands of a round, and
    /// until when.
    unwritten: Vec<u64>,
    behind: Vec<Duration>,
}

impl Side {
    fn new(site: &Site, log: PathBuf) -> Self {
        let count = CONNECTIONS.into_iter().max().unwrap();
        let connections = (0..count)
            .map(|number| Connection::open(site, number))
            .collect();
        Self {
            connections,
            taken: cases().map(|_| Vec::new()).collect(),
            log,
            unwritten: Vec::new(),
            behind: Vec::new(),
        }
    }

    /// Waits until the exports of a round are written: what one side has left
    /// to do must not slow the other one's round.
    fn settle(&mut self) {
        let size = || fs::metadata(&self.log).map_or(0, |file| file.len());
        let begun = Instant::now();
        let first = size();
        let (mut last, mut grown) = (first, begun);
        while grown.elapsed() < QUIET {
            thread::sleep(Duration::from_millis(1));
            let now = size();
            if now != last {
                (last, grown) = (now, Instant::now());
            }
        }
        self.unwritten.push(last - first);
        self.behind.push(grown - begun);
    }

    fn round(&mut self) {
        let counts = COMMANDS
            .into_iter()
            .flat_map(|(_, count)| [count; CONNECTIONS.len()]);
        for (at, ((command, connections), count)) in cases().zip(counts).enumerate() {
            let used = &mut self.connections[..connections];
            let together = Barrier::new(used.len());
            let taken = thread::scope(|scope| {
                let threads: Vec<_> = used
                    .iter_mut()
                    .map(|connection| {
                        let together = &together;
                        scope.spawn(move || {
                            together.wait();
                            (0..count)
                                .map(|_| connection.timed(command))
                                .collect::<Vec<_>>()
                        })
                    })
                    .collect();
                threads
                    .into_iter()
                    .flat_map(|thread| thread.join().unwrap())
                    .collect::<Vec<_>>()
            });
            self.taken[at].push(taken);
        }
    }
}

/// An IMAP connection whose user has some mail.
struct Connection {
    stream: BufReader<TcpStream>,
    tag: u32,
}

impl Connection {
    fn open(site: &Site, number: usize) -> Self {
        let stream = TcpStream::connect(site.imap_address()).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let mut this = Self {
            stream: BufReader::new(stream),
            tag: 0,
        };
        this.until("* OK ");
        this.command(&format!("LOGIN user{number}@example.net pass"));
        for _ in 0..MESSAGES {
            let message = format!("Subject: x\r\n\r\n{}", "A line.\r\n".repeat(100));
            this.command(&format!("APPEND INBOX {{{}+}}\r\n{message}", message.len()));
        }
        this.command("SELECT INBOX");
        this
    }

    fn timed(&mut self, command: &str) -> Duration {
        let begun = Instant::now();
        self.command(command);
        begun.elapsed()
    }

    fn command(&mut self, command: &str) {
        self.tag += 1;
        let line = format!("t{} {command}\r\n", self.tag);
        self.stream.get_mut().write_all(line.as_bytes()).unwrap();
        self.until(&format!("t{} OK ", self.tag));
    }

    fn until(&mut self, start: &str) {
        let mut line = Vec::new();
        while !line.starts_with(start.as_bytes()) {
            line.clear();
            let read = self.stream.read_until(b'\n', &mut line).unwrap();
            let refused = line.starts_with(b"t") && !line.starts_with(start.as_bytes());
            assert!(read > 0 && !refused, "{}", line.escape_ascii());
        }
    }
}

/// The program, built beside this one.
fn program() -> PathBuf {
    let mut program = env::current_exe().unwrap();
    program.set_file_name("fantail");
    assert!(
        program.is_file(),
        "no {}: cargo xtask bench latency",
        program.display()
    );
    program
}

/// `fantail serve`, as nice as its unit makes it.
fn serve(site: &Site) -> Process {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contrib/systemd/fantail.service");
    let unit = text(&unit);
    let nice = unit.lines().find_map(|line| line.strip_prefix("Nice="));
    let mut command = Command::new("nice");
    command.args(["-n", nice.unwrap()]).arg(program());
    command.arg("serve").arg("--config").arg(site.config());
    let log: PathBuf = site.path("serve.log");
    let file = fs::File::create(&log).unwrap();
    let mut process = Process::start_with(&command, |command| {
        command.stderr(file);
    });
    wait_until("fantail serve is ready", Duration::from_secs(10), || {
        assert!(!process.has_ended(), "{}", text(&log));
        text(&log).contains("is ready")
    });
    process
}

#[allow(clippy::disallowed_methods, reason = "its own files")]
fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}
