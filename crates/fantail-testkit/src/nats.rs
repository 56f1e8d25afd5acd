//! A real NATS server with JetStream, on a port of its own.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "for tests: a peer that cannot be started must fail"
)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    process::{Process, wait_until},
    skip::{installed, skip},
};

/// How long a start may take on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A running server, or one that was killed.
#[derive(Debug)]
pub struct NatsServer {
    program: PathBuf,
    folder: PathBuf,
    more: String,
    port: Option<u16>,
    process: Option<Process>,
}

/// Returns the installed servers: `nats-server` of `PATH`, and the path in
/// `FANTAIL_NATS_SERVER`. [`skip`]s the calling test if there is none.
#[must_use]
pub fn nats_servers() -> Vec<PathBuf> {
    let named = env::var_os("FANTAIL_NATS_SERVER").map(PathBuf::from);
    let servers: Vec<_> = installed("nats-server").into_iter().chain(named).collect();
    if servers.is_empty() {
        skip("nats-server is not installed");
    }
    servers
}

impl NatsServer {
    /// Starts a server with its store in a folder; `more` is added to its configuration,
    /// such as users with their permissions.
    ///
    /// # Panics
    /// Panics if it does not start.
    #[must_use]
    pub fn start(program: &Path, folder: &Path, more: &str) -> Self {
        let mut server = Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            more: more.to_owned(),
            port: None,
            process: None,
        };
        server.restart();
        server
    }

    /// Starts servers that replicate streams among each other. Routes between them use a
    /// loopback address that no other process takes.
    ///
    /// # Panics
    /// Panics if one does not start.
    #[must_use]
    pub fn cluster<const N: usize>(program: &Path, folder: &Path) -> [Self; N] {
        let [_, high, middle, low] = std::process::id().to_be_bytes();
        let address = format!("127.{}.{middle}.{low}", 64 + high);
        let routes: Vec<String> = (0..N)
            .map(|number| format!("\"nats-route://{address}:{}\"", 6222 + number))
            .collect();
        let routes = routes.join(", ");
        std::array::from_fn(|number| {
            let folder = folder.join(format!("server{number}"));
            fs::create_dir_all(&folder).expect("a folder");
            let more = format!(
                "server_name: \"server{number}\"\ncluster {{ name: \"test\", \
                 listen: \"{address}:{}\", routes: [{routes}] }}",
                6222 + number
            );
            Self::start(program, &folder, &more)
        })
    }

    /// Returns the URL of the server.
    ///
    /// # Panics
    /// Panics if it has not started.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port.expect("it has started"))
    }

    /// Returns a file with the credentials of a user whose password is `secret`.
    ///
    /// # Panics
    /// Panics if it cannot be written.
    #[must_use]
    pub fn credentials(&self, user: &str) -> PathBuf {
        let file = self.folder.join(format!("{user}.creds"));
        fs::write(&file, format!("{user}:secret\n")).expect("credentials");
        file
    }

    /// Kills the server: it saves nothing.
    ///
    /// # Panics
    /// Panics if it does not end.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal(Signal::KILL);
            process.wait(START_TIMEOUT);
        }
    }

    /// Starts the server again, on the same port and with the same store.
    ///
    /// # Panics
    /// Panics if it does not start.
    pub fn restart(&mut self) {
        self.kill();
        let Self { folder, more, .. } = self;
        let ports = folder.join("ports");
        let _ = fs::remove_dir_all(&ports);
        fs::create_dir_all(&ports).expect("a folder for ports");
        let port = self.port.map_or(-1, i32::from);
        let (store, ports) = (folder.join("store"), ports.display());
        let store = store.display();
        let settings = format!(
            "listen: \"127.0.0.1:{port}\"\nports_file_dir: \"{ports}\"\n\
             jetstream {{ store_dir: \"{store}\" }}\n{more}\n"
        );
        let file = folder.join("nats.conf");
        fs::write(&file, settings).expect("a configuration");
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(&file);
        self.process = Some(Process::start_with(&command, |command| {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }));
        let folder = self.folder.join("ports");
        let mut found = None;
        wait_until("the NATS server listens", START_TIMEOUT, || {
            found = port_of(&folder);
            found.is_some()
        });
        self.port = found;
    }
}

/// Returns the port in the file that the server writes.
fn port_of(folder: &Path) -> Option<u16> {
    let mut files = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let text = fs::read(files.next()?.path()).ok()?;
    let ports: serde_json::Value = serde_json::from_slice(&text).ok()?;
    let url = ports.pointer("/nats/0")?.as_str()?;
    url.rsplit(':').next()?.parse().ok()
}
