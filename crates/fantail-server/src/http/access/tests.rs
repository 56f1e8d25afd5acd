//! Which requests are let through.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request};

use super::{Access, Refused, Sessions, Via, token};
use crate::http::reread::Reread;

/// Returns rules with the token `secret`, or without a token.
fn access(has_token: bool, private: bool) -> Access {
    let token = || Reread::new(Vec::new(), |_| Ok(vec![b"secret\n".to_vec()]), token::parse);
    Access {
        hosts: vec!["mail1.example.com".to_owned(), "stats".to_owned()],
        token: has_token.then(|| token().unwrap()),
        private,
        web: false,
        tls: None,
        sessions: Sessions::default(),
    }
}

fn decide(access: &Access, via: Via, path: &str, headers: &[(&str, &str)]) -> Option<Refused> {
    decide_method(access, via, &Method::GET, path, headers)
}

fn decide_method(
    access: &Access,
    via: Via,
    method: &Method,
    path: &str,
    headers: &[(&str, &str)],
) -> Option<Refused> {
    let request = Request::builder().method(method).uri(path).body(());
    let (mut parts, ()) = request.unwrap().into_parts();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        parts
            .headers
            .append(name, HeaderValue::from_str(value).unwrap());
    }
    access.decide(via, &parts).err()
}

#[track_caller]
fn check_host(host: &str, is_allowed: bool) {
    let refused = decide(
        &access(false, false),
        Via::Tcp,
        "/metrics",
        &[("host", host)],
    );
    assert_eq!(refused, (!is_allowed).then_some(Refused::Host), "{host}");
}

#[test]
fn only_names_of_this_host_are_allowed() {
    for host in [
        "localhost",
        "LOCALHOST:9900",
        "127.0.0.1:9900",
        "10.1.2.3",
        "[::1]:9900",
        "mail1.example.com:9900",
        "Mail1.Example.com.",
        "stats",
    ] {
        check_host(host, true);
    }
    for host in [
        "evil.example",
        "localhost.evil.example:9900",
        "mail2.example.com",
        "",
    ] {
        check_host(host, false);
    }
    let two = [("host", "localhost"), ("host", "evil.example")];
    let refused = decide(&access(false, false), Via::Tcp, "/metrics", &two);
    assert_eq!(refused, Some(Refused::Host));
    assert_eq!(
        decide(&access(false, false), Via::Tcp, "/metrics", &[]),
        None
    );
}

#[test]
fn requests_of_other_sites_are_refused() {
    let check = |site: &str, expected| {
        let headers = [("host", "localhost"), ("sec-fetch-site", site)];
        let refused = decide(&access(false, false), Via::Tcp, "/healthz", &headers);
        assert_eq!(refused, expected, "{site}");
    };
    check("same-origin", None);
    check("none", None);
    check("cross-site", Some(Refused::OtherSite));
    check("same-site", Some(Refused::OtherSite));
}

#[test]
fn the_token_opens_what_is_not_open() {
    let check = |access: &Access, path: &str, token: Option<&str>, is_open: bool| {
        let mut headers = vec![("host", "localhost")];
        headers.extend(token.map(|token| ("authorization", token)));
        let refused = decide(access, Via::Tcp, path, &headers);
        assert_eq!(
            refused,
            (!is_open).then_some(Refused::Token),
            "{path} {token:?}"
        );
        assert_eq!(decide(access, Via::Socket, path, &[]), None);
    };
    let (none, some, private) = (
        access(false, false),
        access(true, false),
        access(true, true),
    );
    check(&none, "/api/v1/snapshot", None, true);
    for (path, with_token, with_private) in [
        ("/healthz", true, true),
        ("/readyz", true, true),
        ("/metrics", true, false),
        ("/api/v1/snapshot", false, false),
        ("/nothing", false, false),
    ] {
        check(&some, path, None, with_token);
        check(&private, path, None, with_private);
        check(&private, path, Some("Bearer secre"), with_private);
        check(&private, path, Some("Bearer secret2"), with_private);
        check(&private, path, Some("Basic secret"), with_private);
        check(&private, path, Some("Bearer secret"), true);
    }
    check(&access(false, true), "/metrics", Some("Bearer "), false);
}

#[test]
fn a_page_is_open_and_its_data_needs_the_token() {
    let with_page = |has_token| Access {
        web: true,
        ..access(has_token, false)
    };
    let (some, none) = (with_page(true), with_page(false));
    let local = ("host", "localhost");
    for path in [
        "/",
        "/web/app.js",
        "/api/v1/session",
        "/healthz",
        "/metrics",
    ] {
        assert_eq!(decide(&some, Via::Tcp, path, &[local]), None, "{path}");
    }
    for path in ["/api/v1/stream", "/api/v1/server", "/api/v1/sessions"] {
        for access in [&some, &none] {
            let refused = decide(access, Via::Tcp, path, &[local]);
            assert_eq!(refused, Some(Refused::Token), "{path}");
            assert_eq!(decide(access, Via::Socket, path, &[]), None, "{path}");
        }
        let bearer = [local, ("authorization", "Bearer secret")];
        assert_eq!(decide(&some, Via::Tcp, path, &bearer), None, "{path}");
    }
}

#[test]
fn a_session_opens_what_the_token_opens_until_it_is_ended() {
    let access = Access {
        web: true,
        ..access(true, false)
    };
    let get = |cookie: &str| {
        let headers = [("host", "localhost"), ("cookie", cookie)];
        decide(&access, Via::Tcp, "/api/v1/server", &headers)
    };
    let cookie = access.sign_in(b"secret").unwrap();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict"), "{cookie}");
    let (pair, _) = cookie.split_once(';').unwrap();
    assert_eq!(get(pair), None);
    assert_eq!(get(&format!("a=b; {pair}; c=d")), None);
    assert_eq!(get(&format!("x{pair}")), Some(Refused::Token));
    assert_eq!(get(&format!("{pair}0")), Some(Refused::Token));
    let mut headers = HeaderMap::new();
    headers.insert("cookie", HeaderValue::from_str(pair).unwrap());
    let deleted = access.sign_out(&headers);
    assert!(
        deleted.starts_with("fantail-session=; Path=/; Max-Age=0;"),
        "{deleted}"
    );
    assert_eq!(get(pair), Some(Refused::Token));
}

/// A form or script of another site, or of another port of this host, must not act for
/// the user of the page.
#[test]
fn requests_that_act_come_from_the_page() {
    let access = access(false, false);
    let post = |headers: &[(&str, &str)]| {
        let headers = [&[("host", "mail1.example.com:9900")], headers].concat();
        decide_method(
            &access,
            Via::Tcp,
            &Method::POST,
            "/api/v1/session",
            &headers,
        )
    };
    assert_eq!(post(&[]), None);
    let own = ("origin", "https://mail1.example.com:9900");
    assert_eq!(post(&[own]), None);
    assert_eq!(post(&[own, ("sec-fetch-site", "same-origin")]), None);
    for origin in [
        "https://mail1.example.com",
        "http://mail1.example.com:80",
        "https://evil.example",
        "null",
    ] {
        let refused = post(&[("origin", origin)]);
        assert_eq!(refused, Some(Refused::OtherSite), "{origin}");
    }
    for site in ["none", "same-site", "cross-site"] {
        let refused = post(&[own, ("sec-fetch-site", site)]);
        assert_eq!(refused, Some(Refused::OtherSite), "{site}");
    }
}
