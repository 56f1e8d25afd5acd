//! A server with a page, and a browser that has it open.

use std::{fs, path::PathBuf};

use fantail_server::ServerOptions;
use tempfile::TempDir;

use crate::{driver::Browser, fixture::Fixture};

/// The token of the tests.
pub(crate) const TOKEN: &str = "a-secret-of-the-tests";

/// A configuration with what each view shows.
pub(crate) const CONFIGURATION: &str = "\
metric imap_commands {
  filter = event=imap_command_finished
  fields = bytes_in bytes_out
  group_by = cmd_name user
  exporter = archive
}
metric logins {
  filter = event=login_finished OR event=auth_request_finished
  group_by = user
}
metric heavy {
  filter = event=imap_command_finished
  group_by = user:top
}
metric errors {
  filter = event=* AND error=*
  exporter = down
}
metric misspelt {
  filter = event=imap_comand_finished
}
event_exporter archive {
  transport = drop
  format = json
  format_args = time-rfc3339
}
event_exporter down {
  transport = http-post
  transport_args = http://127.0.0.1:9/events
  format = json
  format_args = time-rfc3339
}
";

/// A server with a page, and a browser.
pub(crate) struct Page {
    pub(crate) browser: Browser,
    pub(crate) fixture: Fixture,
    pub(crate) token: PathBuf,
    pub(crate) _folder: TempDir,
}

impl Page {
    /// Starts both; skips the test if no browser is installed.
    pub(crate) fn new(configuration: &str) -> Option<Self> {
        Self::with(configuration, |_| {})
    }

    /// As [`new`](Self::new), with other options.
    pub(crate) fn with(
        configuration: &str,
        change: impl FnOnce(&mut ServerOptions),
    ) -> Option<Self> {
        let browser = Browser::start()?;
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        #[allow(clippy::disallowed_methods, reason = "a test's own file")]
        fs::write(&token, TOKEN).unwrap();
        let fixture = Fixture::with(configuration, |options| {
            options.http = Some(([127, 0, 0, 1], 0).into());
            options.http_access.token = Some(token.clone());
            options.http_access.web = true;
            options.limits.recent = 8 << 20;
            change(options);
        });
        Some(Self {
            browser,
            fixture,
            token,
            _folder: folder,
        })
    }

    /// As [`new`](Self::new), and signs in.
    pub(crate) fn signed_in(configuration: &str) -> Option<Self> {
        let page = Self::new(configuration)?;
        page.browser.go(&page.url(""));
        page.sign_in();
        Some(page)
    }

    pub(crate) fn sign_in(&self) {
        self.browser.type_into("#token", TOKEN);
        self.browser.click(".sign-in button");
        self.wait_for_stream();
    }

    pub(crate) fn url(&self, fragment: &str) -> String {
        let port = self.fixture.http.unwrap().port();
        format!("http://localhost:{port}/{fragment}")
    }

    /// Opens a view, and waits until its stream is open.
    pub(crate) fn view(&self, fragment: &str) {
        self.browser.go(&self.url(fragment));
        self.wait_for_stream();
    }

    /// Waits until the page shows the view of its address and has a status of the server.
    pub(crate) fn wait_for_stream(&self) {
        self.browser.wait(
            "(document.querySelector('#views [aria-current]')?.hash ?? '') === \
             (location.hash || '#/live').split('?')[0]",
        );
        self.browser
            .wait("document.querySelector('#state').textContent.includes('from')");
    }

    /// Sends events that are typical of mail.
    pub(crate) fn send_mail_traffic(&self) {
        let mut lines = String::from("CATEGORY\timap\nCATEGORY\tauth\n");
        let users = ["anna", "bob", "chloë", "dmitri"];
        let commands = ["SELECT", "FETCH", "UID FETCH", "IDLE", "STORE"];
        for number in 0..40_usize {
            let user = users[number % users.len()];
            let command = commands[number % commands.len()];
            let bytes = 300 + number * 37;
            let session = format!("0AbC{:02}dEfGhIjK", number % 7);
            let second = 1_795_328_118 + number;
            lines.push_str(&format!(
                "EVENT\t0\t0\t1\t{second}\t{number}\tnimap_command_finished\tcimap\t\
                 Suser\t{user}\tSsession\t{session}\tSservice\timap\tScmd_name\t{command}\t\
                 Stagged_reply_state\tOK\tIbytes_in\t{number}\tIbytes_out\t{bytes}\t\
                 Sremote_ip\t192.0.2.{number}\tSlocal_ip\t198.51.100.7\n"
            ));
        }
        lines.push_str(
            "EVENT\t0\t0\t1\t1795328170\t5\tnauth_request_finished\tcauth\tSuser\tanna\t\
             Serror\tpassword mismatch\tSsession\t0AbC03dEfGhIjK\n",
        );
        self.fixture.send(&lines);
    }
}
