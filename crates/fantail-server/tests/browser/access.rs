//! Sign-in, and what happens when the server is started again.

use crate::{
    fixture::{ALL, Fixture, event},
    page::{Page, TOKEN},
};

#[test]
fn a_browser_signs_in_and_sees_an_event() {
    let Some(page) = Page::new(ALL) else { return };
    let browser = &page.browser;
    browser.go(&page.url(""));
    browser.type_into("#token", "wrong");
    browser.click(".sign-in button");
    browser.wait_for_text("this is not the token");
    browser.run("document.querySelector('#token').value = ''", &().into());
    page.sign_in();
    page.fixture.send(&event("imap_command_finished", 7));
    browser.wait("document.querySelector('.log .event')");
    let row = browser.get("document.querySelector('.log .event').innerText");
    let row = row.as_str().unwrap();
    assert!(
        row.contains("imap_command_finished") && row.contains("x=7"),
        "{row}"
    );
    // The browser has no token: neither in the address nor where scripts find it.
    let stored = browser.get(
        "location.href + document.cookie + JSON.stringify(localStorage) + \
         JSON.stringify(sessionStorage)",
    );
    assert!(!stored.as_str().unwrap().contains(TOKEN), "{stored}");
    assert_eq!(browser.get("document.cookie"), "");
    browser.click("#sign-out");
    browser.wait("document.querySelector('#token')");
}

/// The stream opens again, or the page asks for the token, which a new server needs.
#[test]
fn a_page_finds_the_server_after_a_restart() {
    let Some(Page {
        browser,
        fixture,
        token,
        _folder: keep,
    }) = Page::signed_in(ALL)
    else {
        return;
    };
    let address = fixture.http.unwrap();
    let folder = fixture.stop();
    browser.wait_for_text("no answer");
    let fixture = Fixture::within(folder, ALL, |options| {
        options.http = Some(address);
        options.http_access.token = Some(token.clone());
        options.http_access.web = true;
    });
    browser.wait("document.querySelector('#token')");
    browser.type_into("#token", TOKEN);
    browser.click(".sign-in button");
    browser.wait("document.querySelector('#state').textContent.includes('from')");
    fixture.send(&event("after_restart", 1));
    browser.wait_for_text("after_restart");
    drop(keep);
}

#[test]
fn a_stream_is_closed_while_the_page_is_hidden() {
    let Some(page) = Page::signed_in(ALL) else {
        return;
    };
    let browser = &page.browser;
    let hide = |hidden: bool| {
        let script = "Object.defineProperty(document, 'hidden', \
             { value: arguments[0], configurable: true }); \
             document.dispatchEvent(new Event('visibilitychange'));";
        browser.run(script, &hidden.into());
    };
    hide(true);
    browser.wait_for_text("paused");
    // Without a page, the server has no observer and sees no event for one.
    page.fixture.send(&event("unseen", 1));
    hide(false);
    page.wait_for_stream();
    page.fixture.send(&event("seen", 1));
    browser.wait_for_text("x=1");
    let log = browser.get("document.querySelector('.log').innerText");
    let log = log.as_str().unwrap();
    assert!(log.contains("seen") && !log.contains("unseen"), "{log}");
}
