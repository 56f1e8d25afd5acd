//! Defaults of OTLP/HTTP.

use std::time::Duration;

/// The default timeout.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// The path of log records at a receiver.
const LOGS_PATH: &str = "/v1/logs";

/// Adds the path of log records to a URL without a path.
pub(super) fn with_path(url: String) -> String {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    if !path.is_empty() || url.contains(['?', '#']) {
        return url;
    }
    format!("{}{LOGS_PATH}", url.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::with_path;

    #[test]
    fn only_a_url_without_a_path_gets_one() {
        let check = |url: &str, expected: &str| assert_eq!(with_path(url.to_owned()), expected);
        check("http://a:4318", "http://a:4318/v1/logs");
        check("https://a/", "https://a/v1/logs");
        check("http://a/otlp", "http://a/otlp");
        check("http://a?x=1", "http://a?x=1");
    }
}
