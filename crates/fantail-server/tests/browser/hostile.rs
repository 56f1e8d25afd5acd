//! Values of events that try to be more than text.

use crate::{fixture::ALL, page::Page};

/// Values that a mail client or its mail can have chosen.
const VALUES: [&str; 8] = [
    "<img src=x onerror=\"window.hurt=1\">",
    "<script>window.hurt=1</script>",
    "\"><svg onload=window.hurt=1>",
    "javascript:window.hurt=1",
    "{{constructor.constructor('window.hurt=1')()}}",
    "\u{202e}gnp.exe\u{2066}",
    "data: x\n\nevent: status\ndata: {}\n\n",
    "\u{0}\u{7}\u{1b}[31mred",
];

fn escaped(value: &str) -> String {
    let value = value.replace('\u{1}', "\u{1}1").replace('\0', "\u{1}0");
    let value = value.replace('\t', "\u{1}t").replace('\n', "\u{1}n");
    value.replace('\r', "\u{1}r")
}

#[test]
fn hostile_values_are_shown_as_text() {
    let Some(page) = Page::signed_in(ALL) else {
        return;
    };
    let browser = &page.browser;
    page.view("#/live");
    for value in VALUES {
        let value = escaped(value);
        let line = format!(
            "EVENT\t0\t0\t0\t1795328118\t0\tnhostile{value}\tSuser\t{value}\tSsubject\t{value}\n"
        );
        page.fixture.send(&line);
    }
    let count = VALUES.len();
    browser.wait(&format!(
        "document.querySelectorAll('.log .event').length === {count}"
    ));
    for row in 1..=count {
        browser.click(&format!(".log .event:nth-child({row}) summary"));
    }
    browser.wait_for_text("<img src=x onerror=\"window.hurt=1\">");
    browser.wait_for_text("<script>window.hurt=1</script>");
    for view in ["#/events", "#/flow", "#/metrics"] {
        page.view(view);
    }
    assert!(browser.get("window.hurt ?? null").is_null());
    // Only drawings of the page are in it.
    assert_eq!(
        browser.get("document.querySelectorAll('main img, main script, main iframe').length"),
        0
    );
    browser.check_no_errors();
}

#[test]
fn large_values_and_broken_text_are_shown_in_bounds() {
    let Some(page) = Page::signed_in(ALL) else {
        return;
    };
    let browser = &page.browser;
    let large = "x".repeat(100_000);
    let mut writer = page.fixture.writer();
    writer.send(crate::fixture::VERSION.as_bytes());
    writer.send(format!("EVENT\t0\t0\t0\t1795328118\t0\tnlarge\tSbig\t{large}\n").as_bytes());
    // A line has at most 128 KiB, an event with what it inherits more: 1 MB.
    writer.send(b"BEGIN\t1\t0\t0\t1795328118\t0\n");
    for field in 0..10 {
        writer.send(format!("UPDATE\t1\t0\t1795328118\t0\tSf{field}\t{large}\n").as_bytes());
    }
    writer.send(b"EVENT\t0\t1\t0\t1795328118\t0\tninherits\n");
    writer.send(b"EVENT\t0\t0\t0\t1795328118\t0\tnbroken\tSuser\t\xff\xfe\xc3(\n");
    writer.finish();
    browser.wait("document.querySelectorAll('.log .event').length === 3");
    for row in 1..=3 {
        browser.click(&format!(".log .event:nth-child({row}) summary"));
    }
    let width = browser.get("document.documentElement.scrollWidth - innerWidth");
    assert!(width.as_i64().unwrap() <= 0, "{width}");
    let height = browser
        .get("Math.max(...[...document.querySelectorAll('.value')].map((e) => e.offsetHeight))");
    assert!(height.as_i64().unwrap() < 200, "{height}");
    browser.check_no_errors();
}
