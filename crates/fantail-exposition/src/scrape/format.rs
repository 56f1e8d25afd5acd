//! The two formats, and which of them a scraper wants.

/// A text format for scrapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus text 0.0.4.
    Prometheus,
}

impl Format {
    /// Returns the `Content-Type` of an answer.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// Returns the format for a request with this `Accept` header.
    ///
    /// OpenMetrics if it is named in a version before 2 with a weight that is
    /// not below that of plain text; else Prometheus text, which everything
    /// reads, also for a header that names neither.
    ///
    /// ```
    /// # use fantail_exposition::Format;
    /// let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,\
    ///                   text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
    /// assert_eq!(Format::negotiate(prometheus), Format::OpenMetrics);
    /// assert_eq!(Format::negotiate("*/*"), Format::Prometheus);
    /// ```
    #[must_use]
    pub fn negotiate(accept: &str) -> Self {
        let mut open_metrics = 0;
        let mut plain = 0;
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default();
            let mut weight = 1_000;
            let mut readable = true;
            for parameter in parts {
                let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
                let value = value.trim().trim_matches('"');
                if key.trim().eq_ignore_ascii_case("q") {
                    weight = thousandths(value);
                } else if key.trim().eq_ignore_ascii_case("version") {
                    readable = value.starts_with("0.") || value.starts_with("1.");
                }
            }
            if media.eq_ignore_ascii_case("application/openmetrics-text") && readable {
                open_metrics = open_metrics.max(weight);
            } else if media.eq_ignore_ascii_case("text/plain") && readable {
                plain = plain.max(weight);
            }
        }
        if open_metrics > 0 && open_metrics >= plain {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }
}

/// A weight of 0 to 1 with up to three decimals; nothing else is a weight.
fn thousandths(weight: &str) -> u32 {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(decimals) || decimals.len() > 3 {
        return 0;
    }
    let text = format!("{whole}{decimals:0<3}");
    text.parse().unwrap_or(u32::MAX).min(1_000)
}

#[cfg(test)]
mod tests {
    use super::Format::{self, OpenMetrics, Prometheus};

    fn check(accept: &str, expected: Format) {
        assert_eq!(Format::negotiate(accept), expected, "{accept}");
    }

    #[test]
    fn what_scrapers_ask_for() {
        check("", Prometheus);
        check("*/*", Prometheus);
        check("text/html,application/xml;q=0.9,*/*;q=0.8", Prometheus);
        check("text/plain", Prometheus);
        check("application/openmetrics-text", OpenMetrics);
        check("application/openmetrics-text; version=0.0.1", OpenMetrics);
        check(
            "APPLICATION/OpenMetrics-Text; Version=\"1.0.0\"",
            OpenMetrics,
        );
        check("application/openmetrics-text;version=2.0.0", Prometheus);
        // Prometheus 2 and 3.
        check(
            "application/openmetrics-text;version=1.0.0,\
             application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            OpenMetrics,
        );
        check(
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.5,\
             text/plain;version=0.0.4;q=0.4,*/*;q=0.3",
            OpenMetrics,
        );
        check(
            "application/openmetrics-text;q=0.2, text/plain;q=0.3",
            Prometheus,
        );
        check("application/openmetrics-text;q=0", Prometheus);
        check("application/openmetrics-text;q=x", Prometheus);
        check(";;,,q=;=", Prometheus);
    }
}
