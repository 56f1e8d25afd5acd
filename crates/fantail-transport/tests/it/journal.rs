//! Entries of the journal, as a socket in its place gets them and as
//! systemd's own programs read them.

use std::{
    fs,
    io::{IoSliceMut, Read, Seek},
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use fantail_event::{Dialect, EffectiveBuffers, Event, SentEvent, Timestamp};
use fantail_format::{ExportContext, Format, Formatter, FormatterSettings};
use fantail_transport::{JournalPayloads, JournalSettings, JournalTransport, Transport};
use rustix::{
    fs::{SealFlags, fcntl_get_seals},
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg},
};

/// One message: what is in the datagram, or in the memory that came with it.
fn receive(socket: &UnixDatagram) -> (Vec<u8>, bool) {
    let mut bytes = vec![0; 1 << 20];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let slices = &mut [IoSliceMut::new(&mut bytes)];
    let received = recvmsg(socket, slices, &mut control, RecvFlags::empty()).unwrap();
    let memory: Option<OwnedFd> = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    let Some(memory) = memory else {
        bytes.truncate(received.bytes);
        return (bytes, false);
    };
    assert_eq!(received.bytes, 0);
    let seals = fcntl_get_seals(&memory).unwrap();
    let all = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
    assert!(seals.contains(all));
    let mut file = fs::File::from(memory);
    let mut entry = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut entry).unwrap();
    (entry, true)
}

/// The entries that arrive when these payloads are sent.
fn send(payloads: JournalPayloads, entries: &[&[u8]]) -> Vec<(Vec<u8>, bool)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let socket = UnixDatagram::bind(&path).unwrap();
    let settings = JournalSettings {
        path: Some(path),
        payloads,
    };
    let mut transport = JournalTransport::new(settings);
    let arrive = entries.iter().map(|entry| {
        transport.send(entry).unwrap();
        receive(&socket)
    });
    arrive.collect()
}

fn entry(user: &str, body: &[u8]) -> Vec<u8> {
    let event = Event::builder(Timestamp::from_unix_micros(5))
        .name("mail_delivery_finished")
        .field("user", user)
        .field("size", -7)
        .field("body", body)
        .build()
        .unwrap();
    let formatter = Formatter::new(FormatterSettings::new(Format::Journal, Dialect::V2_4));
    let mut entry = Vec::new();
    let context = ExportContext {
        host: b"mx1",
        received_at: Timestamp::default(),
    };
    let (mut buffers, sent) = (EffectiveBuffers::new(), SentEvent::alone(&event));
    formatter.write(&buffers.gather(&sent), context, &mut entry);
    entry
}

#[test]
fn large_entries_come_as_sealed_memory() {
    let small = entry("bob", b"x");
    let large = entry("bob", &vec![b'y'; 4 << 20]);
    let arrived = send(JournalPayloads::Entries, &[&small, &large, &small]);
    assert_eq!(
        arrived,
        [(small.clone(), false), (large, true), (small, false)]
    );
}

#[test]
fn texts_become_messages() {
    let arrived = send(JournalPayloads::Messages, &[b"a\nb"]);
    let expected = b"MESSAGE\n\x03\0\0\0\0\0\0\0a\nb\nPRIORITY=6\nSYSLOG_IDENTIFIER=fantail\n";
    assert_eq!(arrived, [(expected.to_vec(), false)]);
}

/// What arrives is stored by `systemd-journal-remote` (whose input is the same
/// format with a time and a blank line), and `journalctl` shows the fields.
#[test]
fn journalctl_shows_the_fields() {
    let Some(remote) = journal_remote() else {
        return;
    };
    let Some(journalctl) = fantail_testkit::program("journalctl") else {
        return;
    };
    let long = vec![b'z'; 3 << 20];
    let entries = [
        entry("bob", b"one line"),
        entry("b\u{e4}rbel", b"two\nlines"),
        entry("large", &long),
    ];
    let payloads: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
    let folder = tempfile::tempdir().unwrap();
    let [export, journal] = ["export", "fantail.journal"].map(|name| folder.path().join(name));
    let mut text = Vec::new();
    for (at, (entry, _)) in send(JournalPayloads::Entries, &payloads).iter().enumerate() {
        let time = 1_795_328_705_000_000 + at;
        text.extend_from_slice(format!("__REALTIME_TIMESTAMP={time}\n").as_bytes());
        text.extend_from_slice(b"_BOOT_ID=0123456789abcdef0123456789abcdef\n");
        text.extend_from_slice(entry);
        text.push(b'\n');
    }
    fs::write(&export, text).unwrap();
    run(Command::new(remote).arg("-o").arg(&journal).arg(&export));
    let show = |selection: &str| {
        let mut command = Command::new(&journalctl);
        let command = command
            .arg("--file")
            .arg(&journal)
            .args(["-o", "json", "--all"]);
        let shown = run(command.arg(selection));
        let lines = shown
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        lines.collect::<Vec<serde_json::Value>>()
    };
    let [first] = show("DOVECOT_FIELD_USER=bob").try_into().unwrap();
    for (name, value) in [
        (
            "MESSAGE",
            "event=mail_delivery_finished user=bob size=-7 body=\"one line\" duration=0",
        ),
        ("PRIORITY", "6"),
        ("SYSLOG_IDENTIFIER", "fantail"),
        ("DOVECOT_EVENT", "mail_delivery_finished"),
        ("DOVECOT_HOSTNAME", "mx1"),
        ("DOVECOT_START_TIME", "1970-01-01T00:00:00.000005Z"),
        ("DOVECOT_FIELD_SIZE", "-7"),
        ("DOVECOT_FIELD_BODY", "one line"),
    ] {
        assert_eq!(first[name], value, "{name}");
    }
    let [second] = show("DOVECOT_FIELD_USER=b\u{e4}rbel").try_into().unwrap();
    assert_eq!(second["DOVECOT_FIELD_BODY"], "two\nlines");
    let [third] = show("DOVECOT_FIELD_USER=large").try_into().unwrap();
    assert_eq!(
        third["DOVECOT_FIELD_BODY"].as_str().map(str::len),
        Some(long.len())
    );
}

/// It lies beside systemd, in no folder of programs.
fn journal_remote() -> Option<PathBuf> {
    let folders = ["/lib/systemd", "/usr/lib/systemd"].map(Path::new);
    let mut paths = folders
        .map(|one| one.join("systemd-journal-remote"))
        .into_iter();
    let found = paths.find(|path| path.is_file());
    if found.is_none() {
        fantail_testkit::skip("systemd-journal-remote is not installed");
    }
    found
}

fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}
