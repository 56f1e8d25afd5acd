//! The view Live.

use serde_json::Value;

use crate::{
    fixture::{ALL, event},
    page::Page,
};

pub(crate) fn rows(page: &Page) -> u64 {
    let count = page
        .browser
        .get("document.querySelectorAll('.log .event').length");
    count.as_u64().unwrap()
}

#[test]
fn a_filter_is_in_the_address_and_selects_events() {
    let Some(page) = Page::signed_in(ALL) else {
        return;
    };
    let browser = &page.browser;
    browser.type_into("#filter", "x=7");
    browser.click(".filter .primary");
    browser.wait("location.hash === '#/live?filter=x%3D7'");
    page.wait_for_stream();
    page.fixture
        .send(&[event("one", 6), event("two", 7)].concat());
    browser.wait("document.querySelector('.log .event')");
    assert_eq!(rows(&page), 1);
    let row = browser.get("document.querySelector('.log .event b').textContent");
    assert_eq!(row, "two");
    browser.check_no_errors();
}

#[test]
fn what_is_wrong_with_a_filter_is_shown_while_it_is_written() {
    let Some(page) = Page::signed_in(ALL) else {
        return;
    };
    let browser = &page.browser;
    browser.type_into("#filter", "event=imap_comand_finished");
    browser.wait_for_text("lint/unknown-event");
    browser.type_into("#filter", " AND (");
    browser.wait("document.querySelector('#filter').getAttribute('aria-invalid') === 'true'");
    browser.wait("document.querySelector('#findings mark')");
    browser.click(".filter .primary");
    // A filter with an error is not applied.
    assert_eq!(browser.get("location.hash"), "");
}

#[test]
fn events_wait_while_the_page_is_paused() {
    let Some(page) = Page::signed_in(ALL) else {
        return;
    };
    let browser = &page.browser;
    page.fixture.send(&event("one", 1));
    browser.wait("document.querySelector('.log .event')");
    browser.click(".tools button:nth-child(1)");
    page.fixture.send(&event("two", 2));
    browser.wait_for_text("Resume (1 wait)");
    assert_eq!(rows(&page), 1);
    browser.click(".tools button:nth-child(1)");
    browser.wait("document.querySelectorAll('.log .event').length === 2");
    browser.click(".tools button:nth-child(2)");
    assert_eq!(rows(&page), 0);
}

#[test]
fn a_session_is_followed() {
    let Some(page) = Page::signed_in(ALL) else {
        return;
    };
    let browser = &page.browser;
    let line =
        |session: &str| event("command", 1).replace("Ix", &format!("Ssession\t{session}\tIx"));
    page.fixture.send(&line("abc+/1"));
    browser.click(".log .event summary");
    browser.click(".details .tools button:nth-child(1)");
    browser.wait("location.hash.includes('session')");
    page.wait_for_stream();
    page.fixture.send(&[line("other"), line("abc+/1")].concat());
    browser.wait("document.querySelectorAll('.log .event').length === 1");
    let row = browser.get("document.querySelector('.log .event').innerText");
    assert!(row.as_str().unwrap().contains("session=abc+/1"), "{row}");
}

/// An open row is not replaced by another event.
#[test]
fn the_list_holds_while_a_row_is_open() {
    let Some(page) = Page::signed_in(ALL) else {
        return;
    };
    let browser = &page.browser;
    page.fixture.send(&event("one", 1));
    browser.click(".log .event summary");
    browser.wait("document.querySelector('.event[open] .details')");
    page.fixture.send(&event("two", 2));
    browser.wait_for_text("Resume (1 wait)");
    assert_eq!(rows(&page), 1);
    browser.click(".pause");
    browser.wait("document.querySelectorAll('.log .event').length === 2");
    assert_eq!(browser.get("document.querySelectorAll('[open]').length"), 0);
    let newest = browser.get("document.querySelector('.log .event b').textContent");
    assert_eq!(newest, "two");
    // It goes on.
    page.fixture.send(&event("three", 3));
    browser.wait("document.querySelector('.log .event b').textContent === 'three'");
}

/// Older events have rows once the reader scrolls to them.
#[test]
fn the_list_holds_while_it_is_scrolled() {
    let Some(page) = Page::signed_in(ALL) else {
        return;
    };
    let browser = &page.browser;
    let lines: String = (0..60).map(|number| event("many", number)).collect();
    page.fixture.send(&lines);
    browser.wait_for_text("60 shown");
    assert!(rows(&page) < 60);
    browser.run("document.querySelector('.log').scrollTop = 1e6", &().into());
    browser.wait("document.querySelectorAll('.log .event').length === 60");
    let oldest = browser.get("document.querySelector('.log .event:last-child').innerText");
    assert!(oldest.as_str().unwrap().contains("x=0"), "{oldest}");
    page.fixture.send(&event("newer", 1));
    browser.wait_for_text("Resume (1 wait)");
    browser.run("document.querySelector('.log').scrollTop = 0", &().into());
    browser.wait("document.querySelector('.log .event b').textContent === 'newer'");
    assert!(rows(&page) < 60);
}

#[test]
fn events_are_copied_as_json() {
    let Some(page) = Page::signed_in(ALL) else {
        return;
    };
    let browser = &page.browser;
    browser.allow_clipboard(&page.url(""));
    page.fixture
        .send(&[event("one", 1), event("two", 2)].concat());
    browser.wait("document.querySelectorAll('.log .event').length === 2");
    browser.click(".tools button:nth-child(3)");
    browser.wait("document.querySelector('main [role=status]').textContent === 'Copied.'");
    let copied = browser.get("navigator.clipboard.readText()");
    let copied = copied.as_str().unwrap().lines();
    let copied: Vec<Value> = copied
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names: Vec<_> = copied.iter().map(|event| &event["event"]).collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(copied[1]["fields"]["x"], 2);
    // And one of them.
    let said = "document.querySelector('main [role=status]').textContent";
    browser.run(&format!("{said} = ''"), &Value::Null);
    browser.click(".log .event:nth-child(2) summary");
    browser.click(".details .tools button:nth-last-child(2)");
    browser.wait(&format!("{said} === 'Copied.'"));
    let copied = browser.get("navigator.clipboard.readText()");
    let copied: Value = serde_json::from_str(copied.as_str().unwrap()).unwrap();
    assert_eq!(copied["event"], "one");
}

#[test]
fn a_sample_is_shown_with_the_rate_of_all() {
    let Some(page) = Page::signed_in(ALL) else {
        return;
    };
    let browser = &page.browser;
    browser.run(
        "const e = document.querySelector('#sampling'); e.selectedIndex = 3; \
         e.dispatchEvent(new Event('change'))",
        &().into(),
    );
    let lines: String = (0..50).map(|number| event("sampled", number)).collect();
    page.fixture.send(&lines);
    // Of those that arrive at once, one is shown.
    browser.wait_for_text("1 shown, 49 not shown");
    assert_eq!(rows(&page), 1);
    browser.wait("/^[1-9]/.test(document.querySelector('#rate').textContent)");
    browser.click(".tools button:nth-child(2)");
    browser.wait_for_text("0 shown, 0 not shown");
    assert_eq!(rows(&page), 0);
}
