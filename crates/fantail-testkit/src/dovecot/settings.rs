//! The configuration of a site.

use std::path::Path;

use super::Version;

/// The owner of the sockets of Dovecot's stats service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatsService {
    /// Dovecot's own process; its scrape is at [`Site::scrape_address`].
    ///
    /// [`Site::scrape_address`]: super::Site::scrape_address
    Own,
    /// Another server: Dovecot binds none of them, configured as an
    /// administrator would.
    Elsewhere,
}

/// The mail services of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Users {
    /// IMAP, POP3 and LMTP.
    Served,
    /// IMAP, POP3, LMTP and submission.
    Submitting,
    /// No mail services: the stats service gets only played events.
    None,
}

/// The ports of a site, on 127.0.0.1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) imap: u16,
    pub(super) pop3: u16,
    pub(super) scrape: u16,
    pub(super) submission: u16,
    /// The port to which submission relays mail.
    pub(super) relay: u16,
}

/// The password of all users.
const PASSWORD: &str = "pass";

/// The owner of mail, a user that no machine has.
const MAIL_USER: u32 = 5_000;

/// Returns the whole configuration; `more` are the metrics and exporters.
pub(super) fn text(
    version: Version,
    folder: &Path,
    stats: StatsService,
    users: Users,
    ports: Ports,
    more: &str,
) -> String {
    let folder = folder.display();
    let protocols = match users {
        Users::Served => "imap pop3 lmtp",
        Users::Submitting => "imap pop3 lmtp submission",
        Users::None => "",
    };
    let mut text = mail(version, &folder.to_string());
    text += &format!(
        "protocols = {protocols}\n\
         base_dir = {folder}/run\n\
         state_dir = {folder}/state\n\
         log_path = {folder}/log\n\
         ssl = no\n\
         listen = 127.0.0.1\n\
         auth_failure_delay = 0\n\
         mail_max_userip_connections = 1000\n"
    );
    for (name, port) in [("imap", ports.imap), ("pop3", ports.pop3)] {
        text += &format!(
            "service {name}-login {{\n  \
               inet_listener {name} {{\n    port = {port}\n  }}\n  \
               inet_listener {name}s {{\n    port = 0\n  }}\n}}\n"
        );
    }
    if users == Users::Submitting {
        text += &format!(
            "service submission-login {{\n  \
               inet_listener submission {{\n    port = {}\n  }}\n}}\n\
             hostname = mail.example.org\n\
             submission_relay_host = 127.0.0.1\n\
             submission_relay_port = {}\n",
            ports.submission, ports.relay
        );
    }
    text += "service lmtp {\n  unix_listener lmtp {\n    mode = 0666\n  }\n}\n";
    text += &stats_service(stats, ports.scrape);
    text + more
}

/// Returns the settings of log-ins and mail folders.
fn mail(version: Version, folder: &str) -> String {
    match version {
        // A wrong password would delay the next log-in by seconds.
        Version::V2_3 => format!(
            "disable_plaintext_auth = no\n\
             service anvil {{\n  unix_listener anvil-auth-penalty {{\n    mode = 0\n  }}\n}}\n\
             passdb {{\n  driver = static\n  args = password={PASSWORD}\n}}\n\
             userdb {{\n  driver = static\n  \
               args = uid={MAIL_USER} gid={MAIL_USER} home={folder}/mail/%u\n}}\n\
             mail_location = maildir:~/Maildir\n"
        ),
        Version::V2_4 => format!(
            "dovecot_config_version = 2.4.1\n\
             dovecot_storage_version = 2.4.1\n\
             auth_allow_cleartext = yes\n\
             passdb static {{\n  password = {PASSWORD}\n}}\n\
             userdb static {{\n}}\n\
             mail_uid = {MAIL_USER}\n\
             mail_gid = {MAIL_USER}\n\
             mail_home = {folder}/mail/%{{user}}\n\
             mail_driver = maildir\n\
             mail_path = ~/Maildir\n\
             mail_inbox_path = ~/Maildir\n"
        ),
    }
}

fn stats_service(stats: StatsService, scrape: u16) -> String {
    match stats {
        StatsService::Own => format!(
            "service stats {{\n  \
               unix_listener stats-writer {{\n    mode = 0666\n  }}\n  \
               inet_listener http {{\n    port = {scrape}\n  }}\n}}\n"
        ),
        StatsService::Elsewhere => "service stats {\n  \
               unix_listener stats-writer {\n    mode = 0\n  }\n  \
               unix_listener stats-reader {\n    mode = 0\n  }\n  \
               unix_listener login/stats-writer {\n    mode = 0\n  }\n}\n"
            .to_owned(),
    }
}
