//! syslog messages as rsyslog understands them.

use std::{fs, path::PathBuf, process::Command};

use fantail_testkit::{check_killed, process::Process, program};
use fantail_transport::{
    Facility, MessageSettings, SyslogAddress, SyslogPayloads, SyslogProtocol, SyslogSettings,
    SyslogSeverity, SyslogTransport, Tabs, Transport,
};

use crate::peers::{free_port, text, wait_for};

/// An rsyslog that writes what it understood: a line of JSON a message.
struct Rsyslog {
    _process: Process,
    _folder: tempfile::TempDir,
    socket: PathBuf,
    udp: u16,
    tcp: u16,
    log: PathBuf,
}

const FIELDS: [&str; 7] = [
    "protocol-version",
    "syslogfacility-text",
    "syslogseverity-text",
    "hostname",
    "app-name",
    "structured-data",
    "msg",
];

impl Rsyslog {
    fn start() -> Option<Self> {
        let rsyslogd = program("rsyslogd")?;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let (udp, tcp) = (free_port(), free_port());
        let [socket, log] = ["socket", "log"].map(|name| path.join(name));
        let template: String = FIELDS
            .iter()
            .map(|field| format!("property(name=\"{field}\") constant(value=\"|\") "))
            .collect();
        let configuration = format!(
            "global(workDirectory=\"{root}\" parser.escapeControlCharactersOnReceive=\"off\"
                    maxMessageSize=\"64k\")
             module(load=\"imuxsock\" sysSock.use=\"off\")
             module(load=\"imudp\") module(load=\"imtcp\")
             input(type=\"imuxsock\" socket=\"{socket}\" useSpecialParser=\"off\"
                   parseHostname=\"on\")
             input(type=\"imudp\" port=\"{udp}\" address=\"127.0.0.1\")
             input(type=\"imtcp\" port=\"{tcp}\" address=\"127.0.0.1\")
             template(name=\"all\" type=\"list\") {{ {template} constant(value=\"\\n\") }}
             action(type=\"omfile\" file=\"{log}\" template=\"all\")\n",
            root = path.display(),
            socket = socket.display(),
            log = log.display(),
        );
        fs::write(path.join("rsyslog.conf"), configuration).unwrap();
        let process = Process::start(
            Command::new(rsyslogd)
                .arg("-n")
                .arg("-f")
                .arg(path.join("rsyslog.conf"))
                .arg("-i")
                .arg(path.join("pid")),
        );
        wait_for("rsyslog", || socket.exists().then_some(()));
        wait_for("rsyslog's port", || {
            std::net::TcpStream::connect(("127.0.0.1", tcp)).ok()
        });
        Some(Self {
            _process: process,
            _folder: folder,
            socket,
            udp,
            tcp,
            log,
        })
    }

    fn addresses(&self) -> [SyslogAddress; 3] {
        let host = || "127.0.0.1".to_owned();
        [
            SyslogAddress::Unix(self.socket.clone()),
            SyslogAddress::Udp {
                host: host(),
                port: self.udp,
            },
            SyslogAddress::Tcp {
                host: host(),
                port: self.tcp,
            },
        ]
    }

    /// Waits for a message that ends like this, and returns its line.
    #[track_caller]
    fn line(&self, end: &str) -> String {
        wait_for(end, || {
            let text = text(&self.log);
            let mut lines = text.lines();
            lines.find(|line| line.ends_with(end)).map(str::to_owned)
        })
    }
}

fn send(settings: SyslogSettings, payload: &str) {
    let mut transport = SyslogTransport::new(settings, b"mx1");
    transport.send(payload.as_bytes()).unwrap();
    transport.flush().unwrap();
}

#[test]
fn a_killed_test_leaves_no_rsyslog() {
    if program("rsyslogd").is_some() {
        let test = "syslog::a_killed_test_leaves_no_rsyslog";
        check_killed(test, || Rsyslog::start().unwrap());
    }
}

#[test]
fn rsyslog_understands_both_protocols_on_all_ways() {
    let Some(rsyslog) = Rsyslog::start() else {
        return;
    };
    let data = r#"[event@32473 user="b\"o\]b"]"#;
    let mut number = 0;
    for address in rsyslog.addresses() {
        for protocol in [SyslogProtocol::Rfc5424, SyslogProtocol::Rfc3164] {
            for payloads in [SyslogPayloads::Messages, SyslogPayloads::Structured] {
                number += 1;
                let end = format!("event:x\tfield:n={number}|");
                let message = end.trim_end_matches('|');
                let payload = match payloads {
                    SyslogPayloads::Messages => message.to_owned(),
                    SyslogPayloads::Structured => format!("{data} {message}"),
                };
                let settings = SyslogSettings {
                    protocol,
                    payloads,
                    facility: Facility::Local3,
                    severity: SyslogSeverity::Notice,
                    ..SyslogSettings::new(address.clone())
                };
                send(settings, &payload);
                let local = matches!(address, SyslogAddress::Unix(_));
                let new = protocol == SyslogProtocol::Rfc5424;
                let version = u8::from(new);
                let line = rsyslog.line(&end);
                let structured = new && payloads == SyslogPayloads::Structured;
                let structured = if structured { data } else { "-" };
                // The message of RFC 3164 begins behind the colon.
                let blank = if new { "" } else { " " };
                let rest = format!("|fantail|{structured}|{blank}{end}");
                if local && !new {
                    // rsyslog gives the name of its own host.
                    assert!(line.starts_with("0|local3|notice|"), "{line}");
                    assert!(line.ends_with(&rest), "{line}");
                } else {
                    let expected = format!("{version}|local3|notice|mx1{rest}");
                    assert_eq!(line, expected, "{address:?} {protocol:?}");
                }
            }
        }
    }
}

#[test]
fn messages_are_counted_and_cut() {
    let Some(rsyslog) = Rsyslog::start() else {
        return;
    };
    let [_, _, tcp] = rsyslog.addresses();
    let mut settings = SyslogSettings::new(tcp);
    settings.payloads = SyslogPayloads::Structured;
    let messages = MessageSettings {
        tabs: Tabs::Escape,
        longest: Some(300),
    };
    let mut transport = SyslogTransport::with_messages(settings, b"mx1", messages);
    let long = "ä".repeat(400);
    // A line break does not end a message that is counted.
    for payload in ["first\nsecond\tthird", "fourth", &long, "fifth"] {
        transport.send(payload.as_bytes()).unwrap();
    }
    let data = format!("[event@32473 long=\"{long}\"] sixth");
    transport.send(data.as_bytes()).unwrap();
    transport.flush().unwrap();
    rsyslog.line("|-|sixth|");
    let log = text(&rsyslog.log);
    assert!(log.contains("|-|first\nsecond\\tthird|\n"), "{log}");
    assert!(log.contains("|-|fourth|\n"), "{log}");
    assert!(log.contains("ä...|\n"), "{log}");
    assert_eq!(transport.shortened().get(), 2);
}

/// Each attempt says what happened; the next goes on where it can.
#[test]
fn receivers_that_go_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let settings = SyslogSettings::new(SyslogAddress::Unix(path.clone()));
    let mut transport = SyslogTransport::new(settings, b"mx1");
    transport.send(b"nobody").unwrap_err();
    for round in 0..3 {
        let receiver = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
        // The first attempt finds the old socket dead.
        if round > 0 {
            transport.send(b"dead").unwrap_err();
        }
        transport.send(b"alive").unwrap();
        let mut message = [0; 100];
        let length = receiver.recv(&mut message).unwrap();
        assert!(message[..length].ends_with(b"]: alive"));
        drop(receiver);
        fs::remove_file(&path).unwrap();
    }
}
