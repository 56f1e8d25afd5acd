//! What the browser loads for the first view, and when it has drawn it.

use std::env;

use serde_json::json;

use crate::page::{CONFIGURATION, Page};

/// The files of the page that the browser asked for.
const FILES: &str =
    "performance.getEntriesByType('resource').filter((e) => !e.name.includes('/api/'))";

#[test]
fn the_page_is_loaded_once_and_small() {
    let Some(page) = Page::signed_in(CONFIGURATION) else {
        return;
    };
    let browser = &page.browser;
    let _ = load(&page, Cache::Empty);
    let sizes = browser.get(&format!(
        "[...{FILES}, ...performance.getEntriesByType('navigation')].map((e) => e.transferSize)"
    ));
    let sizes = sizes.as_array().unwrap().iter();
    let bytes: u64 = sizes.map(|size| size.as_u64().unwrap()).sum();
    assert!((5_000..100_000).contains(&bytes), "{bytes}");
    let _ = load(&page, Cache::Full);
    // The browser has the files of this release, and asks for none.
    let again = browser.get(&format!("{FILES}.every((e) => e.transferSize === 0)"));
    assert_eq!(again, true);
}

/// Prints when the browser has drawn the first view: `cargo xtask bench first-view`.
#[test]
fn the_first_view_marks_its_times() {
    let Some(page) = Page::signed_in(CONFIGURATION) else {
        return;
    };
    let loads = env::var("FANTAIL_PAGE_LOADS").map_or(1, |text| text.parse().unwrap());
    println!(
        "| cache of the browser | one word | first paint | first view | first data | requests |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for (cache, name) in [(Cache::Empty, "empty"), (Cache::Full, "full")] {
        let mut taken: [Vec<f64>; 5] = Default::default();
        for _ in 0..loads {
            let word = load(&page, cache);
            for (times, time) in taken.iter_mut().zip([word].into_iter().chain(times(&page))) {
                times.push(time);
            }
        }
        let [word, paint, view, data, requests] = taken.map(median);
        // On a busy machine they come in any order.
        assert!(
            paint > 0.0 && view > 0.0 && data > 0.0,
            "{paint} {view} {data}"
        );
        println!(
            "| {name} | {word:.0} ms | {paint:.0} ms | {view:.0} ms | {data:.0} ms | {requests:.0} |"
        );
    }
}

/// Whether the browser has the files of the page.
#[derive(Clone, Copy, PartialEq)]
enum Cache {
    Empty,
    Full,
}

/// Opens the page anew, and waits until it has drawn data of the server. Returns when the
/// browser has drawn the page before, which is one word: less is not possible on this
/// machine.
fn load(page: &Page, cache: Cache) -> f64 {
    page.browser.go(&page.url("healthz"));
    let drawn = "performance.getEntriesByName('first-contentful-paint')[0]";
    page.browser.wait(drawn);
    let word = page.browser.get(&format!("{drawn}.startTime"));
    if cache == Cache::Empty {
        page.browser
            .command("Network.clearBrowserCache", &json!({}));
    }
    page.view("#/live");
    page.browser
        .wait("performance.getEntriesByName('status').length");
    word.as_f64().unwrap()
}

/// The milliseconds from the request to the first paint, the view and the first data, and
/// the number of requests.
fn times(page: &Page) -> [f64; 4] {
    let times = page.browser.get(
        "[...['first-contentful-paint', 'view', 'status'].map((name) => \
         performance.getEntriesByName(name)[0].startTime), \
         performance.getEntriesByType('resource').length + 1]",
    );
    std::array::from_fn(|at| times[at].as_f64().unwrap())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}
