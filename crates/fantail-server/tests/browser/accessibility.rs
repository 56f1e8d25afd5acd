//! axe-core, which checks the rules of WCAG that a program can check.

use std::{env, fs};

use fantail_testkit::skip;
use serde_json::Value;

use crate::{
    fixture::ALL,
    page::{CONFIGURATION, Page},
    views::{VIEWS, show},
};

/// Returns the text of axe-core; skips the test if it is not there.
fn axe() -> Option<String> {
    let Some(path) = env::var_os("FANTAIL_AXE") else {
        skip("FANTAIL_AXE names no axe.min.js of axe-core");
        return None;
    };
    #[allow(clippy::disallowed_methods, reason = "a script of tests")]
    Some(fs::read_to_string(path).unwrap())
}

#[track_caller]
fn check(page: &Page, axe: &str, what: &str) {
    // The script defines `window.axe`.
    page.browser.run(axe, &Value::Null);
    let script = "return axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', \
         'wcag21aa', 'wcag22aa', 'best-practice'] }).then(({ violations }) => \
         violations.map(({ id, nodes }) => [id, nodes.slice(0, 3).map((n) => [n.html, \
         n.failureSummary])]))";
    let violations = page.browser.run(script, &Value::Null);
    let found = violations.as_array().unwrap();
    assert!(found.is_empty(), "{what}: {violations:#}");
}

#[test]
fn no_view_violates_wcag() {
    let Some(axe) = axe() else { return };
    let Some(page) = Page::signed_in(CONFIGURATION) else {
        return;
    };
    for (name, fragment) in VIEWS {
        show(&page, name, fragment);
        if name == "live" {
            page.browser.click(".log .event:nth-child(2) summary");
        }
        for (size, scheme) in [
            ((1280, 900), "light"),
            ((1280, 900), "dark"),
            ((360, 740), "light"),
        ] {
            page.browser.show_as(size, scheme);
            check(&page, &axe, &format!("{name}, {scheme}, {}", size.0));
        }
        page.browser.show_as((1280, 900), "light");
    }
}

#[test]
fn the_sign_in_and_an_erroneous_filter_do_not_violate_wcag() {
    let Some(axe) = axe() else { return };
    let Some(page) = Page::new(ALL) else { return };
    page.browser.go(&page.url(""));
    page.browser.wait("document.querySelector('#token')");
    check(&page, &axe, "sign-in");
    page.sign_in();
    page.browser.type_into("#filter", "event=(");
    page.browser
        .wait("document.querySelector('#findings mark')");
    for scheme in ["light", "dark"] {
        page.browser.show_as((1280, 900), scheme);
        check(&page, &axe, scheme);
    }
}
