//! A real Dovecot's traffic in the page.

use fantail_testkit::dovecot::{Installation, Site, StatsService, Traffic, Users, Version};

use crate::{
    page::Page,
    views::{save_for_book, save_picture},
};

/// The target of the exporter refuses connections.
const SETTINGS: &str = "\
metric imap_commands {
  filter = event=imap_command_finished
  fields = bytes_out
  group_by = cmd_name user
  exporter = down
}
metric logins {
  filter = event=auth_request_finished
  group_by = user
}
event_exporter down {
  transport = http-post
  transport_args = http://127.0.0.1:9/events
  format = json
  format_args = time-rfc3339
}
";

/// Prints what a person sees.
#[test]
fn mail_is_seen_while_an_exporter_is_down() {
    let Some(installation) = Installation::find(Version::V2_3) else {
        return;
    };
    if !Traffic::is_here() {
        return;
    }
    let mut site = Site::new(
        &installation,
        StatsService::Elsewhere,
        Users::Served,
        SETTINGS,
    );
    let configuration = site.config();
    let Some(page) = Page::with("", |options| options.config = configuration) else {
        return;
    };
    site.start();
    let browser = &page.browser;
    browser.go(&page.url(""));
    page.sign_in();
    let report = Traffic::visits(&site, 3);
    assert_eq!(report.failures, [""; 0]);
    let row = |name: &str| {
        format!(
            "[...document.querySelectorAll('.log .event b')].some((b) => \
             b.textContent === '{name}')"
        )
    };
    browser.wait(&row("imap_command_finished"));
    browser.wait(&row("auth_request_finished"));
    let look = |name: &str, scheme: &str| {
        browser.show_as((1000, 560), scheme);
        let picture = browser.screenshot();
        save_picture(&picture, name);
        if name != "mail-exporters" {
            save_for_book(&picture, &name.replace("mail-", "page-"));
        }
        println!("{}\n", browser.text());
    };
    look("mail-live", "light");
    page.view("#/exporters");
    browser.wait_for_text("failing");
    look("mail-exporters", "light");
    page.view("#/metrics?metric=imap_commands");
    browser.wait_for_text("cmd_name=SELECT");
    look("mail-metric", "dark");
    browser.check_no_errors();
    site.stop();
}
