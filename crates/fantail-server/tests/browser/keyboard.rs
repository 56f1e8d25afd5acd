//! The page without a mouse.

use crate::{
    driver::{DOWN, ENTER, ESCAPE, TAB},
    fixture::{ALL, event},
    page::{Page, TOKEN},
};

/// Presses the tabulator until an expression about the focused element `e` is true.
#[track_caller]
fn tab_to(page: &Page, condition: &str) {
    for _ in 0..40 {
        page.browser.press(&TAB.to_string());
        let script =
            format!("(() => {{ const e = document.activeElement; return {condition} }})()");
        if page.browser.get(&script) == true {
            return;
        }
    }
    panic!("the tabulator does not lead to {condition}");
}

#[test]
fn a_filter_is_completed_and_applied_by_keys() {
    let Some(page) = Page::new(ALL) else { return };
    let browser = &page.browser;
    browser.go(&page.url(""));
    // The box of the token has the focus.
    browser.wait("document.activeElement?.id === 'token'");
    browser.press(&format!("{TOKEN}{ENTER}"));
    page.wait_for_stream();
    tab_to(&page, "e.id === 'filter'");
    browser.press("event=imap_command_f");
    browser.wait("!document.querySelector('#suggestions').hidden");
    browser.press(&DOWN.to_string());
    browser.wait("document.querySelector('[aria-selected=true]')");
    browser.press(&ENTER.to_string());
    assert_eq!(
        browser.get("document.querySelector('#filter').value"),
        "event=imap_command_finished"
    );
    browser.press(&format!("{ESCAPE}{ENTER}"));
    browser.wait("location.hash.includes('filter=event%3Dimap_command_finished')");
}

#[test]
fn an_event_is_opened_and_the_page_is_paused_by_keys() {
    let Some(page) = Page::signed_in(ALL) else {
        return;
    };
    let browser = &page.browser;
    page.fixture.send(&event("one", 1));
    browser.wait("document.querySelector('.log .event')");
    tab_to(&page, "e.matches('.tools button')");
    browser.press(" ");
    assert_eq!(
        browser.get("document.activeElement.getAttribute('aria-pressed')"),
        "true"
    );
    tab_to(&page, "e.matches('.event summary')");
    browser.press(&ENTER.to_string());
    browser.wait("document.querySelector('.event[open] .details')");
    tab_to(&page, "e.matches('.details button')");
}

#[test]
fn each_view_is_reached_by_keys() {
    let Some(page) = Page::signed_in(ALL) else {
        return;
    };
    let browser = &page.browser;
    let views = browser.get("document.querySelectorAll('#views a').length");
    for number in 1..=views.as_u64().unwrap() {
        page.view("#/live");
        browser.run("document.activeElement?.blur()", &().into());
        browser.run("document.querySelector('.brand').focus()", &().into());
        browser.press(&TAB.to_string().repeat(usize::try_from(number).unwrap()));
        browser.press(&ENTER.to_string());
        let link = format!("document.querySelector('#views a:nth-child({number})')");
        browser.wait(&format!("{link}.hasAttribute('aria-current')"));
        let title = browser.get(&format!("{link}.textContent"));
        assert_eq!(
            browser.get("document.querySelector('h1').textContent"),
            title
        );
    }
}
