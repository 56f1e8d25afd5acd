//! Unix sockets whose receiver goes and comes back.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::net::{UnixDatagram, UnixListener, UnixStream},
    path::Path,
    time::{Duration, Instant},
};

use fantail_transport::{
    Batch, Retry, Transport, TransportErrorKind, UnixSettings, UnixSocket, UnixTransport,
};

fn transport(path: &Path, socket: UnixSocket) -> UnixTransport {
    UnixTransport::new(UnixSettings {
        path: path.to_owned(),
        socket,
        connect_timeout: Some(Duration::from_millis(200)),
    })
}

fn batch(payloads: &[&str]) -> Batch {
    let mut batch = Batch::new();
    for payload in payloads {
        batch.push(payload.as_bytes());
    }
    batch
}

fn lines(listener: &UnixListener, count: usize) -> Vec<String> {
    let stream = BufReader::new(listener.accept().unwrap().0);
    stream.lines().take(count).map(Result::unwrap).collect()
}

#[test]
fn a_stream_has_a_line_for_each_and_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let mut transport = transport(&path, UnixSocket::Stream);
    let delivery = transport.deliver(batch(&["nobody"]).payloads());
    assert_eq!(delivery.settled(), 0);
    assert_eq!(
        delivery.error().unwrap().kind(),
        TransportErrorKind::Connect
    );
    for _ in 0..3 {
        let listener = UnixListener::bind(&path).unwrap();
        // The connection before was closed: that is seen in time.
        let delivery = transport.deliver(batch(&["one", "", "two"]).payloads());
        assert_eq!(delivery.settled(), 3);
        assert!(delivery.error().is_none());
        assert_eq!(lines(&listener, 3), ["one", "", "two"]);
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_stream_that_is_cut_in_the_middle_is_sent_again_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let mut transport = transport(&path, UnixSocket::Stream);
    let long = "x".repeat(8 << 20);
    let payloads = batch(&[&long, "end"]);
    let receiver = std::thread::spawn(move || {
        // Reads a little, and hangs up.
        let mut stream = listener.accept().unwrap().0;
        std::io::Read::read_exact(&mut stream, &mut [0; 1_000]).unwrap();
        drop(stream);
        lines(&listener, 2)
    });
    let delivery = transport.deliver(payloads.payloads());
    assert_eq!(delivery.settled(), 0);
    assert_eq!(delivery.error().unwrap().kind(), TransportErrorKind::Write);
    assert_eq!(transport.deliver(payloads.payloads()).settled(), 2);
    let lines = receiver.join().unwrap();
    assert_eq!((lines[0].len(), lines[1].as_str()), (8 << 20, "end"));
}

#[test]
fn a_full_backlog_is_waited_for_no_longer_than_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let _first = UnixStream::connect(&path).unwrap();
    let start = Instant::now();
    let delivery = transport(&path, UnixSocket::Stream).deliver(batch(&["x"]).payloads());
    let took = start.elapsed();
    let error = delivery.error().unwrap();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    assert_eq!(error.io_error().kind(), std::io::ErrorKind::TimedOut);
    assert!(took >= Duration::from_millis(200) && took < Duration::from_secs(5));
}

#[test]
fn datagrams() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let receiver = UnixDatagram::bind(&path).unwrap();
    let mut transport = transport(&path, UnixSocket::Datagram);
    let payloads = batch(&["one", "two"]);
    assert_eq!(transport.deliver(payloads.payloads()).settled(), 2);
    let mut buffer = [0; 100];
    for expected in ["one", "two"] {
        let length = receiver.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], expected.as_bytes());
    }
    // One that no socket takes is refused for good; the next is sent.
    let long = "x".repeat(8 << 20);
    let payloads = batch(&[&long, "three"]);
    let delivery = transport.deliver(payloads.payloads());
    assert_eq!((delivery.settled(), delivery.refusals().len()), (2, 1));
    assert_eq!(delivery.refusals()[0].error.retry(), Retry::Never);
    let length = receiver.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"three");
}
