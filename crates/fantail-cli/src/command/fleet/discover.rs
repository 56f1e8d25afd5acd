//! HTTP service discovery, as Prometheus uses it: a JSON list of groups with `targets`.

use serde_json::Value;

use super::client::Client;
use crate::exit::Failure;

/// The largest answer.
const MAX_BYTES: usize = 16 << 20;

/// The largest number of hosts.
const MAX_HOSTS: usize = 100_000;

/// Returns the URLs of the hosts that a URL names.
pub(super) fn hosts(client: &Client, url: &str) -> Result<Vec<String>, Failure> {
    let failure = |why: String| Failure::new(format!("{url}: {why}"));
    let body = client.get_open(url, MAX_BYTES).map_err(failure)?;
    parse(&body).map_err(|why| failure(why.to_owned()))
}

/// Parses the list. The label `__scheme__` of a group is the scheme of its targets.
fn parse(body: &[u8]) -> Result<Vec<String>, &'static str> {
    const EXPECTED: &str = "expected a JSON list of objects with `targets`";
    let groups: Value = serde_json::from_slice(body).map_err(|_| EXPECTED)?;
    let mut hosts = Vec::new();
    for group in groups.as_array().ok_or(EXPECTED)? {
        let scheme = group.pointer("/labels/__scheme__");
        let scheme = scheme.map_or(Some("http"), Value::as_str).ok_or(EXPECTED)?;
        let targets = group.get("targets").and_then(Value::as_array);
        for target in targets.ok_or(EXPECTED)? {
            let target = target.as_str().ok_or(EXPECTED)?;
            hosts.push(format!("{scheme}://{target}"));
            if hosts.len() > MAX_HOSTS {
                return Err("the list has more than 100,000 hosts");
            }
        }
    }
    Ok(hosts)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_list_is_that_of_prometheus() {
        let list = br#"[
            {"targets": ["10.0.10.2:9900", "[::1]:9900"], "labels": {"__meta_x": "y"}},
            {"targets": ["mail3:9900"], "labels": {"__scheme__": "https"}},
            {"targets": []}
        ]"#;
        let expected = [
            "http://10.0.10.2:9900",
            "http://[::1]:9900",
            "https://mail3:9900",
        ];
        assert_eq!(parse(list).unwrap(), expected);
        for wrong in [
            "",
            "{}",
            "[1]",
            r#"[{"targets": [1]}]"#,
            r#"[{"labels": {}}]"#,
        ] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
