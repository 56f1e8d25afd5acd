//! Attacks on TLS.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
    thread,
    time::Duration,
};

use super::{Attack, BASE, HONEST, Target};
use crate::error::Error;

/// More than there are seats.
const CLIENTS: usize = 150;

/// The head of a record of 512 bytes, and of a ClientHello in it.
const HELLO: [u8; 9] = [22, 3, 1, 2, 0, 1, 0, 1, 252];

pub(super) const ATTACKS: &[Attack] = &[Attack {
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
}];

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
    // Seats are taken by clients that say nothing, or not enough.
    let mut idle = Vec::new();
    for number in 0..CLIENTS {
        let mut stream = connect()?;
        let _ = stream.write_all(&HELLO[..number % HELLO.len()]);
        idle.push(stream);
    }
    target.check_honest_client()?;
    // Handshakes of many small pieces, and of noise.
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

/// Whole handshakes with the largest keys, as many as come through in a second.
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
