//! The other views, and pictures of all.

use std::{fs, path::Path};

use crate::page::{CONFIGURATION, Page};

/// Each view with something to see, by the name of its picture.
pub(crate) const VIEWS: [(&str, &str); 11] = [
    ("live", "#/live"),
    (
        "explain",
        "#/explain?filter=event%3Dimap_command_finished+AND+user%3Dann",
    ),
    (
        "explain-event",
        "#/explain?filter=event%3Dimap_command_finished+AND+user%3Dann&of=event",
    ),
    (
        "explain-recent",
        "#/explain?filter=event%3Dimap_command_finished+AND+user%3Dann&of=recent",
    ),
    ("metrics", "#/metrics"),
    ("metric", "#/metrics?metric=imap_commands"),
    ("exporters", "#/exporters"),
    ("events", "#/events"),
    ("flow", "#/flow"),
    ("configuration", "#/configuration"),
    ("doctor", "#/doctor"),
];

/// What a view shows once it is whole.
pub(crate) fn wait_for_view(page: &Page, name: &str) {
    let expression = match name {
        "live" => "document.querySelectorAll('.log .event').length > 10",
        "explain" => "/[1-9]\\d* events seen/.test(document.body.innerText)",
        "explain-recent" => {
            page.browser.click(".tools button");
            "/[1-9]\\d* events kept/.test(document.body.innerText)"
        }
        "explain-event" => "document.querySelector('#tree tr')",
        "metrics" => "document.querySelectorAll('tbody tr').length === 5",
        "metric" => "document.querySelectorAll('tbody tr').length > 10",
        "exporters" => "document.querySelectorAll('.card').length === 2",
        "events" => "document.querySelectorAll('.catalogue .event').length > 50",
        "flow" => "document.querySelectorAll('.flow .edge').length > 3",
        "configuration" => "document.querySelector('pre')",
        _ => "document.querySelector('.findings li')",
    };
    page.browser.wait(expression);
}

/// Opens a view, and has events arrive.
pub(crate) fn show(page: &Page, name: &str, fragment: &str) {
    page.view("#/configuration");
    page.view(fragment);
    page.browser
        .wait("document.querySelector('#state').textContent.includes('from')");
    page.send_mail_traffic();
    wait_for_view(page, name);
}

#[test]
fn a_filter_that_matches_nothing_is_explained() {
    let Some(page) = Page::signed_in(CONFIGURATION) else {
        return;
    };
    let browser = &page.browser;
    show(&page, "explain", VIEWS[1].1);
    browser.wait_for_text("no event passes here");
    browser.wait_for_text("the last with \"");
    browser.click(".tabs a:nth-child(2)");
    browser.wait_for_text("events kept since");
    browser.wait_for_text("no event passes here");
    browser.click(".tabs a:nth-child(3)");
    browser.wait("document.querySelector('#tree td strong')");
    browser.wait_for_text("user=ann");
    browser.check_no_errors();
}

#[test]
fn metrics_are_searched_sorted_and_opened() {
    let Some(page) = Page::signed_in(CONFIGURATION) else {
        return;
    };
    let browser = &page.browser;
    show(&page, "metrics", "#/metrics");
    browser.wait("document.querySelector('tbody td').textContent === '40'");
    browser.click("th[data-key=name] button");
    let first = "document.querySelector('tbody th').textContent";
    assert_eq!(browser.get(first), "errors");
    browser.type_into("#search", "comand");
    assert_eq!(browser.get(first), "misspelt");
    browser.run("document.querySelector('#search').value = ''", &().into());
    browser.type_into("#search", "imap_commands");
    browser.click("tbody a");
    browser.wait_for_text("cmd_name=SELECT");
    browser.type_into("#labels", "dmitri");
    browser.wait_for_text("user=dmitri");
    browser.check_no_errors();
}

#[test]
fn heavy_hitters_are_shown_with_their_error() {
    let Some(page) = Page::signed_in(CONFIGURATION) else {
        return;
    };
    page.send_mail_traffic();
    page.view("#/metrics?metric=heavy");
    page.browser.wait_for_text("Heavy hitters");
    page.browser
        .wait_for_text("the 10 values of user with the most events, of 8,192 counters");
    page.browser.wait_for_text("25.0 %");
    page.browser.wait_for_text("exact");
    page.browser.check_no_errors();
}

#[test]
fn an_exporter_that_fails_is_seen() {
    let Some(page) = Page::signed_in(CONFIGURATION) else {
        return;
    };
    show(&page, "exporters", "#/exporters");
    page.browser.wait_for_text("failing");
    page.browser.wait_for_text("in order");
    page.browser.check_no_errors();
}

#[test]
fn an_event_that_was_seen_is_counted_in_the_catalogue() {
    let Some(page) = Page::signed_in(CONFIGURATION) else {
        return;
    };
    let browser = &page.browser;
    show(&page, "events", "#/events");
    browser.wait_for_text("40 seen");
    browser.type_into("#search", "imap_command_finished");
    browser.click(".catalogue .event:not([hidden]) summary");
    browser.wait_for_text("cmd_name");
    browser.check_no_errors();
}

#[test]
fn what_the_server_finds_is_shown() {
    let Some(page) = Page::signed_in(CONFIGURATION) else {
        return;
    };
    show(&page, "doctor", "#/doctor");
    page.browser.wait_for_text("lint/unknown-event");
    show(&page, "configuration", "#/configuration");
    page.browser.wait_for_text("metric imap_commands {");
    page.browser.check_no_errors();
}

/// Saves a picture for people to look at in `target/page`.
pub(crate) fn save_picture(picture: &[u8], name: &str) {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
        Into::into,
    );
    let folder = target.join("page");
    save_in(&folder, picture, name);
}

/// Saves a picture of the book in `docs/images`, with `UPDATE_EXPECT=1`.
pub(crate) fn save_for_book(picture: &[u8], name: &str) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/images");
        save_in(&folder, picture, name);
    }
}

#[allow(clippy::disallowed_methods, reason = "a test's own file")]
fn save_in(folder: &Path, picture: &[u8], name: &str) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(name).with_extension("png"), picture).unwrap();
}

/// Saves a picture of each.
#[test]
fn no_view_is_wider_than_its_screen() {
    let Some(page) = Page::signed_in(CONFIGURATION) else {
        return;
    };
    let browser = &page.browser;
    for (name, fragment) in VIEWS {
        show(&page, name, fragment);
        if name == "live" {
            browser.click(".log .event:nth-child(2) summary");
        }
        for (size, screen) in [
            ((1280, 900), "desktop"),
            ((360, 740), "phone"),
            ((320, 600), "small"),
            ((3840, 2160), "4k"),
        ] {
            for scheme in ["light", "dark"] {
                browser.show_as(size, scheme);
                let over = browser.get("document.documentElement.scrollWidth - innerWidth");
                assert!(
                    over.as_i64().unwrap() <= 0,
                    "{name} on a {screen}: {over} too wide"
                );
                save_picture(
                    &page.browser.screenshot(),
                    &format!("{name}-{screen}-{scheme}"),
                );
            }
        }
        browser.show_as((1280, 900), "light");
    }
}
