//! The page while more events arrive than it shows.

use serde_json::{Value, json};

use crate::{
    fixture::{ALL, event},
    live::rows,
    page::Page,
};

/// Has the page note each shift of its layout, from the first one on.
const OBSERVE: &str = "window.shifts = []; new PerformanceObserver((list) => { \
    for (const e of list.getEntries()) window.shifts.push([e.value, \
    ...e.sources.map(({ node }) => node?.outerHTML?.slice(0, 200))]); \
    }).observe({ type: 'layout-shift', buffered: true })";

/// Elements of the page while events pass, for any number of them.
const MAX_ELEMENTS: u64 = 2000;

/// Sends as many events as a busy server gets in twenty seconds, as fast as it takes them.
fn flood(page: &Page) {
    for _ in 0..20 {
        let lines: String = (0..5000).map(|number| event("flood", number)).collect();
        page.fixture.send(&lines);
    }
}

/// The page draws a bounded number of elements, says how many events it leaves out, and
/// nothing moves.
#[test]
fn five_thousand_events_a_second_move_nothing() {
    let Some(page) = Page::signed_in(ALL) else {
        return;
    };
    let browser = &page.browser;
    for size in [(1280, 900), (360, 740)] {
        browser.show_as(size, "light");
        browser.go("about:blank");
        page.view("#/live");
        browser.run(OBSERVE, &Value::Null);
        flood(&page);
        browser.wait("!/ 0 not shown/.test(document.querySelector('#counts').textContent)");
        let rows = rows(&page);
        assert!((5..=100).contains(&rows), "{rows}");
        let elements = browser.get("document.querySelectorAll('*').length");
        assert!(elements.as_u64().unwrap() < MAX_ELEMENTS, "{elements}");
        assert_eq!(browser.get("window.shifts"), json!([]), "{size:?}");
    }
    browser.check_no_errors();
}

/// The other views stay in place, too, while their numbers change.
#[test]
fn no_view_moves_while_its_numbers_change() {
    let Some(page) = Page::signed_in(crate::page::CONFIGURATION) else {
        return;
    };
    let browser = &page.browser;
    for (name, fragment) in [
        ("metrics", "#/metrics"),
        ("exporters", "#/exporters"),
        ("flow", "#/flow"),
    ] {
        crate::views::show(&page, name, fragment);
        browser.run(OBSERVE, &Value::Null);
        let before = "document.querySelector('#state').textContent";
        let first = browser.get(before);
        page.send_mail_traffic();
        browser.wait(&format!("{before} !== {first}"));
        assert_eq!(browser.get("window.shifts"), json!([]), "{name}");
    }
}
