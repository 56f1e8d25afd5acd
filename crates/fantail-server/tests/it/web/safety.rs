//! Who gets the page's data.

use super::{Page, TOKEN};
use crate::fixture::{ALL, split_answer};

pub(super) const DATA: [&str; 11] = [
    "/api/v1/stream",
    "/api/v1/filter?filter=a%3Db",
    "/api/v1/catalogue",
    "/api/v1/explain/recent?filter=a%3Db",
    "/api/v1/openapi.json",
    "/api/v1/findings",
    "/api/v1/snapshot",
    "/api/v1/metrics",
    "/api/v1/configuration",
    "/api/v1/exporters",
    "/api/v1/server",
];

/// The address of a script of the page.
fn script(page: &Page) -> String {
    let (_, text) = page.ask("GET", "/", "", "");
    let (_, rest) = text.split_once("<script type=\"module\" src=\"").unwrap();
    let (path, _) = rest.split_once('"').unwrap();
    assert!(
        path.starts_with("/web/") && path.ends_with("/app.js"),
        "{path}"
    );
    path.to_owned()
}

fn status(head: &str) -> &str {
    head.lines().next().unwrap().split(' ').nth(1).unwrap()
}

#[test]
fn data_needs_the_token_on_loopback_too() {
    let page = Page::new(ALL);
    for path in DATA {
        let (head, _) = page.ask("GET", path, "", "");
        assert_eq!(status(&head), "401", "{path}");
    }
    for path in [
        "/",
        script(&page).as_str(),
        "/healthz",
        "/metrics",
        "/api/v1/session",
    ] {
        let (head, _) = page.ask("GET", path, "", "");
        assert_eq!(status(&head), "200", "{path}");
    }
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    let (head, _) = page.ask("GET", "/api/v1/server", &bearer, "");
    assert_eq!(status(&head), "200");
}

#[test]
fn the_token_is_exchanged_for_a_session_that_ends() {
    let page = Page::new(ALL);
    let (head, _) = page.post("/api/v1/session", "", r#"{"token":"secret\n"}"#);
    assert_eq!(status(&head), "204");
    assert!(head.contains("; httponly; samesite=strict"), "{head}");
    assert!(!head.contains(TOKEN));
    let cookie = page.sign_in();
    let session = page.json("/api/v1/session", &cookie);
    assert_eq!(session["signed_in"], true);
    page.json("/api/v1/server", &cookie);
    let header = format!("Cookie: {cookie}\r\n");
    let (head, _) = page.ask("DELETE", "/api/v1/session", &header, "");
    assert_eq!(status(&head), "204");
    let (head, _) = page.ask("GET", "/api/v1/server", &header, "");
    assert_eq!(status(&head), "401");
    assert!(page.fixture.logged().contains("page: a browser signed in"));
}

#[test]
fn a_guess_of_the_token_is_limited() {
    let page = Page::new(ALL);
    let guess = |token: &str| {
        let body = format!("{{\"token\":\"{token}\"}}");
        let (head, _) = page.post("/api/v1/session", "", &body);
        status(&head).to_owned()
    };
    for _ in 0..10 {
        assert_eq!(guess("wrong"), "401");
    }
    assert_eq!(guess("wrong"), "429");
    assert_eq!(guess(TOKEN), "429");
}

/// A site points its name at this host, and its page asks with that name.
#[test]
fn a_name_that_was_pointed_here_reads_nothing() {
    let page = Page::new(ALL);
    let cookie = page.sign_in();
    let script = script(&page);
    for path in ["/", &script, "/api/v1/session", "/api/v1/stream"] {
        let (head, _) = {
            use std::io::{Read as _, Write as _};
            let mut stream = page.fixture.scraper();
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: evil.example:9900\r\nCookie: {cookie}\r\n\
                 Connection: close\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            split_answer(&answer)
        };
        assert_eq!(status(&head), "421", "{path}");
    }
}

#[test]
fn another_site_cannot_act_with_the_session() {
    let page = Page::new(ALL);
    let cookie = page.sign_in();
    let own = format!("Cookie: {cookie}\r\n");
    for foreign in [
        "Origin: https://evil.example\r\n",
        "Origin: http://localhost:8080\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
    ] {
        for path in ["/api/v1/ask", "/api/v1/session", "/api/v1/explain"] {
            let (head, _) = page.post(path, &format!("{own}{foreign}"), "{}");
            assert_eq!(status(&head), "403", "{path} {foreign}");
        }
    }
    // What a form can send without asking first.
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ] {
        let headers = format!("{own}Content-Type: {kind}\r\n");
        let (head, _) = page.ask("POST", "/api/v1/ask", &headers, r#"{"filter":"a=b"}"#);
        assert_eq!(status(&head), "415", "{kind}");
    }
}

#[test]
fn files_and_data_have_the_headers_that_protect_them() {
    let page = Page::new(ALL);
    let (head, body) = page.ask("GET", "/", "", "");
    for line in [
        "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; \
         connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cross-origin-opener-policy: same-origin",
        "cross-origin-resource-policy: same-origin",
    ] {
        assert!(head.contains(line), "{line} in {head}");
    }
    // The policy forbids both, and a browser would only report them.
    assert!(!body.contains("<script>") && !body.contains("style="));
    let (head, _) = page.ask("GET", "/api/v1/session", "", "");
    assert!(head.contains("cache-control: no-store"), "{head}");
    assert!(head.contains("x-content-type-options: nosniff"), "{head}");
}

#[test]
fn a_file_is_sent_once_and_compressed() {
    let page = Page::new(ALL);
    let script = script(&page);
    for (path, kind, caching) in [
        ("/", "text/html", "no-cache"),
        (&script, "text/javascript", "max-age=31536000, immutable"),
    ] {
        let (head, _) = page.ask("GET", path, "Accept-Encoding: br, gzip\r\n", "");
        assert!(head.contains("content-encoding: gzip"), "{head}");
        assert!(head.contains(&format!("content-type: {kind}")), "{head}");
        assert!(
            head.contains(&format!("cache-control: {caching}")),
            "{head}"
        );
        let mut lines = head.lines();
        let tag = lines.find_map(|line| line.strip_prefix("etag: ")).unwrap();
        let header = format!("If-None-Match: {tag}\r\n");
        let (head, body) = page.ask("GET", path, &header, "");
        assert_eq!((status(&head), body.as_str()), ("304", ""));
    }
    // Neither other files of the repository nor files of another release.
    let folder = script.strip_suffix("/app.js").unwrap();
    for path in [
        &format!("{folder}/Cargo.toml"),
        "/web/0123456789abcdef/app.js",
    ] {
        let (head, _) = page.ask("GET", path, "", "");
        assert_eq!(status(&head), "404", "{path}");
    }
}

#[test]
fn a_body_that_is_too_large_or_no_json_is_refused() {
    let page = Page::new(ALL);
    let (head, _) = page.post("/api/v1/session", "", "{");
    assert_eq!(status(&head), "400");
    let (head, _) = page.post("/api/v1/session", "", &"x".repeat(100_000));
    assert_eq!(status(&head), "413");
}
