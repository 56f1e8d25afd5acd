//! The view Live.

use crate::{
    fixture::{ALL, event},
    page::Page,
};

fn rows(page: &Page) -> u64 {
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

/// The page draws a bounded number of events, and says how many it leaves out.
#[test]
fn many_events_do_not_make_the_page_grow() {
    let Some(page) = Page::signed_in(ALL) else {
        return;
    };
    let browser = &page.browser;
    for _ in 0..10 {
        let lines: String = (0..5000).map(|number| event("flood", number)).collect();
        page.fixture.send(&lines);
    }
    assert_eq!(page.fixture.count(), 50_000);
    browser.wait("!/ 0 not shown/.test(document.querySelector('#counts').textContent)");
    let rows = rows(&page);
    assert!((1..=500).contains(&rows), "{rows}");
    browser.check_no_errors();
}
