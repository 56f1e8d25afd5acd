//! The address of a host.

use std::{fmt, path::PathBuf};

/// The address of a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Address {
    /// The start of its URLs, without a slash at the end.
    Url(String),
    /// A Unix socket.
    Socket(PathBuf),
}

impl Address {
    /// Parses an address: a URL, or `host:port` of a URL with `http:`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let expected = || format!("`{text}`: expected a URL such as http://mail1:9900");
        if let Some(path) = text.strip_prefix("unix://") {
            let path = PathBuf::from(path);
            return match path.is_absolute() {
                true => Ok(Self::Socket(path)),
                false => Err(format!("`{text}`: expected unix:///path/of/a/socket")),
            };
        }
        let url = match text.split_once("://") {
            None => format!("http://{text}"),
            Some(("http" | "https", _)) => text.to_owned(),
            Some(_) => return Err(expected()),
        };
        let url = url.trim_end_matches('/');
        let host = url.split_once("://").map_or("", |(_, rest)| rest);
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"?#\"<>\\^`{|}@".contains(&byte);
        if host.is_empty() || host.starts_with(['/', ':']) || !host.bytes().all(is_plain) {
            return Err(expected());
        }
        Ok(Self::Url(url.to_owned()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url.strip_prefix("http://").unwrap_or(url)),
            Self::Socket(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses_are_urls() {
        let check = |text: &str, expected: Option<&str>| {
            let address = Address::parse(text).ok();
            let shown = address.map(|address| address.to_string());
            assert_eq!(shown.as_deref(), expected, "{text}");
        };
        check("mail1:9900", Some("mail1:9900"));
        check("http://mail1:9900/", Some("mail1:9900"));
        check("https://mail1", Some("https://mail1"));
        check(
            "https://[::1]:9900/fantail",
            Some("https://[::1]:9900/fantail"),
        );
        check("unix:///run/http.sock", Some("unix:///run/http.sock"));
        for wrong in [
            "",
            "http://",
            "ftp://a",
            "unix://a",
            "a b",
            "http://a?b",
            "name:secret@host",
            ":9900",
        ] {
            check(wrong, None);
        }
    }
}
