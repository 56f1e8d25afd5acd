//! A server with a certificate of a private authority.

use std::process::{Command, Stdio};

use fantail_testkit::{NatsServer, make_certificates, process::Process};

use super::{Aggregate, Scraper, each_server, publishing};
use crate::fleet::hosts::GROUPED;

#[test]
fn counts_are_encrypted_and_the_authority_is_checked() {
    each_server(|program, folder| {
        if !make_certificates(folder) {
            return;
        }
        let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let tls = format!(
            "tls {{ cert_file: \"{}\", key_file: \"{}\" }}",
            file("server.pem"),
            file("server.key")
        );
        let broker = NatsServer::start(program, folder, &tls);
        let port = broker.url().rsplit(':').next().unwrap().to_owned();
        let url = format!("tls://localhost:{port}");
        let authority = file("ca.pem");
        let authority = ["--nats-ca", &authority];
        let aggregate = Aggregate::start_with(&url, &authority);
        let host = publishing(GROUPED, &url, "mail1", &authority);
        host.login(&[("anna", 1)]);
        let mut scraper = Scraper::default();
        scraper.wait_for(&aggregate, &[("logins", 1), ("logins_anna", 1)]);

        // One that trusts another authority never connects, and says why.
        let mut command = Command::new(env!("CARGO_BIN_EXE_fantail"));
        command.args(["aggregate", "--http", "127.0.0.1:0", "--hostname", "a"]);
        command.args(["--nats", &url, "--nats-ca", &file("other.pem")]);
        let mut stranger = Process::start_with(&command, |command| {
            command.stdout(Stdio::null()).stderr(Stdio::piped());
        });
        let said = stranger.child().stderr.take().unwrap();
        let said = std::io::BufRead::lines(std::io::BufReader::new(said));
        let refused = said
            .map_while(Result::ok)
            .find(|line| line.contains("the broker: "));
        let refused = refused.unwrap();
        assert!(refused.contains("`--nats-ca`"), "{refused}");
        stranger.stop();
    });
}
