//! Lines by themselves.

use fantail_wire::{Command, Handshake, WireErrorKind};

#[track_caller]
fn check_round_trip(line: &[u8]) {
    let command = Command::parse(line).unwrap();
    let mut written = Vec::new();
    command.write(&mut written);
    assert_eq!(written.strip_suffix(b"\n"), Some(line));
}

#[test]
fn commands_are_written_as_they_were_read() {
    check_round_trip(b"CATEGORY\tmail\tmailbox");
    check_round_trip(b"CATEGORY\tstr\x01tange");
    check_round_trip(b"BEGIN\t7\t4\t0\t1795328118\t331970\tcsmtp-server\tSprotocol\tlmtp");
    check_round_trip(b"UPDATE\t31\t0\t1\t2\tSk\t");
    check_round_trip(b"EVENT\t18446744073709551615\t0\t5\t1\t2\tnx");
    check_round_trip(b"END\t31");
}

#[track_caller]
#[allow(
    clippy::needless_pass_by_value,
    reason = "cases read better without `&`"
)]
fn check_handshake(line: &[u8], expected: Result<u32, WireErrorKind>) {
    let got = Handshake::parse(line)
        .map(|h| h.minor)
        .map_err(|e| e.kind().clone());
    assert_eq!(got, expected);
}

#[test]
fn handshakes() {
    check_handshake(b"VERSION\tstats-client\t4\t0", Ok(0));
    check_handshake(b"VERSION\tstats-client\t04\t4294967295", Ok(u32::MAX));
    for line in [
        "VERSION\tstats-client\t4\t0\tmore",
        "VERSION\tstats-client\t4\t0\t",
        "VERSION\tstats-client\t4\t4294967296",
        "VERSION\tstats-client\t4\t-1",
        "VERSION\tstats-client\t4\t",
        "VERSION\tstats-client\t+4\t0",
        "version\tstats-client\t4\t0",
    ] {
        check_handshake(line.as_bytes(), Err(WireErrorKind::NoHandshake));
    }
    check_handshake(
        b"VERSION\tstats-client\t5\t0",
        Err(WireErrorKind::OtherVersion),
    );
    check_handshake(b"VERSION\tstats-client\t4", Err(WireErrorKind::NoHandshake));
    check_handshake(
        b"VERSION\tstats-reader-client\t2\t0",
        Err(WireErrorKind::NoHandshake),
    );
    check_handshake(b"EVENT\t0\t0\t1\t5\t5", Err(WireErrorKind::NoHandshake));
    check_handshake(b"", Err(WireErrorKind::NoHandshake));
}
