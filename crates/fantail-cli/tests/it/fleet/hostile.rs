//! Hosts whose answers are too long, cut off, damaged or slow.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use super::{
    fleet,
    hosts::{GROUPED, Host},
};

/// Answers each connection by a function of its request, until the test ends.
pub(super) fn serve(
    mut answer: impl FnMut(&str, &mut TcpStream) + Send + 'static,
) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut bytes = [0; 1024];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                let read = stream.read(&mut bytes).unwrap_or(0);
                if read == 0 {
                    break;
                }
                request.extend_from_slice(&bytes[..read]);
            }
            answer(&String::from_utf8_lossy(&request), &mut stream);
        }
    });
    address
}

/// Sends an answer with this body. The client may be gone.
pub(super) fn answer(out: &mut TcpStream, content_type: &str, body: &[u8]) {
    let mut head = String::new();
    let length = body.len();
    write!(
        head,
        "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    )
    .unwrap();
    let _ = out
        .write_all(head.as_bytes())
        .and_then(|()| out.write_all(body));
}

/// The answer of a real host.
fn real(host: &Host) -> Vec<u8> {
    let mut stream = TcpStream::connect(&host.address).unwrap();
    let request = "GET /api/v1/fleet HTTP/1.0\r\nHost: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer
        .windows(4)
        .position(|end| end == b"\r\n\r\n")
        .unwrap();
    answer.split_off(end + 4)
}

/// Hosts with hostile answers, each with what is said about it.
fn hostile(right: &[u8]) -> Vec<(String, &'static str)> {
    let cut = right[..right.len() - 5].to_vec();
    let mut damaged = right.to_vec();
    let middle = right.len() / 2;
    damaged[middle] ^= 1;
    let long = vec![b'x'; 2 << 20];
    let bodies: [(Vec<u8>, &str); 4] = [
        (cut, "missing: the answer is cut off"),
        (
            damaged,
            "missing: the answer is damaged: its checksum is wrong",
        ),
        (long, "missing: the answer has more than 1048576 bytes"),
        (
            b"<html>".to_vec(),
            "missing: the answer is not that of a fantail server",
        ),
    ];
    let mut expected = Vec::new();
    for (body, what) in bodies {
        let address = serve(move |_, out| answer(out, "application/x-fantail-fleet", &body));
        expected.push((address.to_string(), what));
    }
    // It sends a length, and no body.
    let slow = serve(|_, out| {
        let _ = out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
        // The connection stays open as long as the client waits.
        let _ = out.read(&mut [0]);
    });
    expected.push((slow.to_string(), "missing: timeout"));
    let teapot = serve(|_, out| {
        let _ = out.write_all(b"HTTP/1.1 418 X\r\nContent-Length: 6\r\n\r\nno\x1btea");
    });
    expected.push((teapot.to_string(), "missing: HTTP 418: notea"));
    expected
}

#[test]
fn hostile_answers_are_bounded_and_named() {
    let host = Host::start(GROUPED, &[]);
    host.login(&[("anna", 2)]);
    let _client = host.client();
    let expected = hostile(&real(&host));
    let hosts: Vec<&str> = expected
        .iter()
        .map(|(host, _)| host.as_str())
        .chain([&*host.address])
        .collect();
    let run = fleet(
        &[
            "look-up",
            "user=anna",
            "--timeout",
            "2s",
            "--max-answer",
            "1M",
        ],
        &hosts,
    );
    for (host, what) in &expected {
        assert!(
            run.err.contains(&format!("{host}: {what}")),
            "{what}: {}",
            run.err
        );
    }
    assert!(run.err.ends_with("1 of 7 hosts answered\n"), "{}", run.err);
    let right = "metric\tlabels\tevents\tat_most\nlogins\tuser=anna\t2\t2\n";
    assert_eq!(String::from_utf8_lossy(&run.out), right);
    assert_eq!(run.status, Some(1));
}

/// A small body that unpacks to a large one is not unpacked beyond the limit.
#[test]
fn a_packed_answer_is_bounded() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    // The head of a frame of 100 MiB.
    packed.write_all(&[1]).unwrap();
    packed.write_all(&(100_u32 << 20).to_le_bytes()).unwrap();
    packed.write_all(&vec![0; 100 << 20]).unwrap();
    let body = packed.finish().unwrap();
    let address = serve(move |_, out| {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n"
        );
        let _ = out
            .write_all(head.as_bytes())
            .and_then(|()| out.write_all(&body));
    });
    let run = fleet(&["dump", "--max-answer", "1M"], &[&address.to_string()]);
    assert!(
        run.err
            .contains("missing: the answer is longer than the limit"),
        "{}",
        run.err
    );
}
