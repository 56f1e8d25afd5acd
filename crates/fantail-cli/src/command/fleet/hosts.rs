//! The hosts of a fleet: from flags, a file, or HTTP service discovery.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;

use super::{
    address::Address,
    client::{Client, ClientSettings},
    discover,
};
use crate::{exit::Failure, flag};

/// The largest file of hosts, or of a token.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The hosts and the way to them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Hosts")]
pub(super) struct Fleet {
    /// Address of a host's HTTP: mail1:9900, https://mail1:9900 or unix:///path.
    #[arg(long = "host", value_name = "URL")]
    pub(super) host: Vec<String>,
    /// File with the address of a host in each line; # begins a comment.
    #[arg(long, value_name = "FILE")]
    pub(super) hosts: Option<PathBuf>,
    /// URL of HTTP service discovery, as Prometheus uses it. It is asked without the
    /// token; the hosts that it names get the token.
    #[arg(long, value_name = "URL")]
    pub(super) discover: Option<String>,
    /// File with the token of the hosts (`serve --http-token`).
    #[arg(long, value_name = "FILE")]
    pub(super) token: Option<PathBuf>,
    /// Trusted root certificates in PEM; default: those of the system.
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// Time limit for the answer of a host.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = flag::interval)]
    pub(super) timeout: Duration,
    /// Number of hosts that are asked at the same time.
    #[arg(long, value_name = "N", default_value = "32", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) concurrency: u16,
    /// Maximum size of the answer of a host.
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = flag::memory)]
    pub(super) max_answer: usize,
    /// Maximum number of series of the answer of all hosts together.
    #[arg(long, value_name = "N", default_value = "10000000")]
    pub(super) max_series: usize,
}

impl Fleet {
    /// Returns the client for the hosts.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let token = self.token.as_deref().map(read).transpose()?;
        let token = token.map(|token| token.trim().to_owned());
        Client::new(ClientSettings {
            timeout: self.timeout,
            ca: self.ca.clone(),
            token,
            max_answer: self.max_answer,
        })
    }

    /// Returns the hosts, each once, in the order of flags, file and discovery.
    pub(super) fn addresses(&self, client: &Client) -> Result<Vec<Address>, Failure> {
        let mut all = Vec::new();
        let mut add = |text: &str, from: &dyn fmt::Display| {
            let address = Address::parse(text);
            let address = address.map_err(|error| Failure::new(format!("{from}: {error}")))?;
            if !all.contains(&address) {
                all.push(address);
            }
            Ok::<(), Failure>(())
        };
        for host in &self.host {
            add(host, &"--host")?;
        }
        if let Some(path) = &self.hosts {
            for line in read(path)?.lines() {
                let host = line.split('#').next().unwrap_or_default().trim();
                if !host.is_empty() {
                    add(host, &path.display())?;
                }
            }
        }
        if let Some(url) = &self.discover {
            for host in discover::hosts(client, url)? {
                add(&host, url)?;
            }
        }
        if all.is_empty() {
            return Err(Failure::new(
                "no host to ask: name one with --host, --hosts or --discover",
            ));
        }
        Ok(all)
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| {
        let read = file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
        match read as u64 > MAX_FILE_BYTES {
            true => Err(io::Error::other("the file has more than 1 MiB")),
            false => Ok(()),
        }
    });
    read.map_err(|error| Failure::file("read", path, &error))?;
    Ok(text)
}
