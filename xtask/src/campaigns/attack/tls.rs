//! Attacks on TLS, by clients and by targets.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    thread,
    time::Duration,
};

use serde_json::Value;

use super::{Attack, BASE, HONEST, Target, clients::Writer};
use crate::error::Error;

/// The number of clients, more than the server has seats.
const CLIENTS: usize = 150;

/// The headers of a 512-byte TLS record and of the ClientHello in it.
const HELLO: [u8; 9] = [22, 3, 1, 2, 0, 1, 0, 1, 252];

pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "hostile-handshakes",
        blocks: HONEST,
        arguments: &[
            "--http-socket",
            "FOLDER/http",
            "--http-tls-cert",
            "FOLDER/certificate.pem",
            "--http-tls-key",
            "FOLDER/key.pem",
        ],
        needs: &["openssl"],
        prepare: make_certificate,
        run: hostile_handshakes,
        ..BASE
    },
    Attack {
        name: "hostile-tls-targets",
        blocks: HONEST,
        needs: &["openssl"],
        prepare: make_certificate,
        run: hostile_targets,
        ..BASE
    },
];

fn make_certificate(folder: &Path) -> Result<(), Error> {
    let mut command = Command::new("openssl");
    command.args([
        "req", "-x509", "-newkey", "rsa:4096", "-nodes", "-days", "2",
    ]);
    command.args(["-subj", "/CN=localhost"]);
    command.args(["-keyout", "key.pem", "-out", "certificate.pem"]);
    let made = command.current_dir(folder).output();
    match made.is_ok_and(|output| output.status.success()) {
        true => Ok(()),
        false => Err(Error::new("openssl makes no certificate")),
    }
}

fn hostile_handshakes(target: &mut Target) -> Result<(), Error> {
    let connect = || {
        let stream = TcpStream::connect(target.address);
        let stream = stream.map_err(|error| Error::new(format!("a client: {error}")))?;
        let timeout = Some(Duration::from_secs(30));
        let set = stream.set_read_timeout(timeout);
        set.map_err(|error| Error::new(format!("a client: {error}")))?;
        Ok::<_, Error>(stream)
    };
    // Idle clients take all seats: they send nothing, or an incomplete ClientHello.
    let mut idle = Vec::new();
    for number in 0..CLIENTS {
        let mut stream = connect()?;
        let _ = stream.write_all(&HELLO[..number % HELLO.len()]);
        idle.push(stream);
    }
    target.check_honest_client()?;
    // Other clients send a handshake in small pieces, or noise.
    let mut noise = 1_u32;
    for round in 0..500 {
        let mut stream = connect()?;
        let mut hello = HELLO.to_vec();
        hello.extend((0..503 * (round % 3)).map(|_| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            noise.to_be_bytes()[0]
        }));
        let piece = [1, 7, 512][round % 3];
        let _ = hello
            .chunks(piece)
            .try_for_each(|piece| stream.write_all(piece));
        if round % 10 == 0 {
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
    }
    handshakes(target)?;
    drop(idle);
    target.check_honest_client()
}

/// A function that serves a connection to a target.
type Serve = fn(TcpStream);

/// Targets that send nothing, close the connection, send noise, or send endless records.
const TARGETS: [Serve; 4] = [
    |mut stream| drop(stream.read_to_end(&mut Vec::new())),
    drop,
    |mut stream| drop(stream.write_all(&[0xff; 100_000])),
    |mut stream| {
        let mut record = vec![22, 3, 3, 64, 0];
        record.resize(5 + (64 << 8), 0);
        while stream.write_all(&record).is_ok() {}
    },
];

/// Exports to targets that do not use TLS or violate its protocol.
fn hostile_targets(target: &mut Target) -> Result<(), Error> {
    let config = target.path("fantail.conf");
    let mut text = fs::read_to_string(&config).map_err(Error::at("read", &config))?;
    for (number, serve) in TARGETS.into_iter().enumerate() {
        let wrong = |error| Error::new(format!("a target: {error}"));
        let listener = TcpListener::bind("127.0.0.1:0").map_err(wrong)?;
        let port = listener.local_addr().map_err(wrong)?.port();
        // The thread runs until this program ends.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                thread::spawn(move || serve(stream));
            }
        });
        let ca = target.path("certificate.pem");
        text += &format!(
            "event_exporter e{number} {{\n  format = json\n  format_args = time-rfc3339\n  \
             transport = http-post\n  transport_args = https://localhost:{port}/\n  \
             http_ca_file = {}\n}}\nmetric m{number} {{\n  filter = event=a\n  \
             exporter = e{number}\n}}\n",
            ca.display()
        );
    }
    fs::write(&config, text).map_err(Error::at("write", &config))?;
    let answer = target.ask("FANTAIL-RELOAD")?;
    if answer != "+" {
        return Err(Error::new(format!("a reload: {answer}")));
    }
    let mut client = Writer::connect(&target.writer())?;
    client.send(&"EVENT\t0\t0\t1\t100\t0\tna\tSpad\tvalue\n".repeat(1_000));
    client.finish()?;
    let failed = |_: &usize| {
        thread::sleep(Duration::from_millis(100));
        let answer = target.get("/api/v1/exporters").map(|answer| answer.body);
        let json: Value = serde_json::from_str(&answer.unwrap_or_default()).unwrap_or_default();
        // The first exporter has no failure yet: it still waits for an answer.
        (1..TARGETS.len()).all(|number| {
            let failures = json.pointer(&format!("/exporters/{number}/failures"));
            failures.and_then(Value::as_u64).is_some_and(|it| it > 0)
        })
    };
    match (0..200).find(failed) {
        Some(_) => target.check_honest_client(),
        None => Err(Error::new("a target was not found to be bad")),
    }
}

/// Performs complete handshakes with the largest keys for one second.
fn handshakes(target: &Target) -> Result<(), Error> {
    let address = target.address.to_string();
    let clients = (0..4).map(|_| {
        let mut command = Command::new("openssl");
        command.args(["s_time", "-new", "-time", "1", "-connect", &address]);
        thread::spawn(move || command.output())
    });
    let clients: Vec<_> = clients.collect();
    let answer = target.get("/healthz");
    for client in clients {
        let _ = client.join();
    }
    answer.map(drop)
}
