//! The formats, and their negotiation: `Accept` and `Accept-Encoding`.

use super::labels::LabelForm;

/// The message of the protobuf format.
const MESSAGE: &str = "io.prometheus.client.MetricFamily";

/// A format for scrapes, or for pushes.
///
/// The formats for pushes have the names of Prometheus text. Any number of records makes a
/// body, so that a reader of the output may divide it between records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus text 0.0.4.
    Prometheus,
    /// Messages `io.prometheus.client.MetricFamily`, each after its length. They have
    /// native histograms, with the names of Prometheus text.
    Protobuf,
    /// Remote write 1.0 of Prometheus: fields of the message `prometheus.WriteRequest`. Each
    /// record is a field: a `TimeSeries` with one sample, or the `MetricMetadata` of a
    /// family.
    RemoteWrite,
    /// Metrics of OTLP as JSON: each record is a line with one
    /// `opentelemetry.proto.metrics.v1.Metric`. A family may have several lines. Native
    /// histograms are exponential ones.
    Otlp,
}

impl Format {
    /// Returns the `Content-Type` of an answer.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; \
                 proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
            Self::RemoteWrite => "application/x-protobuf",
            Self::Otlp => "application/json",
        }
    }

    pub(crate) const fn label_form(self) -> LabelForm {
        match self {
            Self::OpenMetrics | Self::Prometheus => LabelForm::Text,
            Self::Protobuf | Self::RemoteWrite | Self::Otlp => LabelForm::Protobuf,
        }
    }

    pub(crate) const fn is_text(self) -> bool {
        matches!(self, Self::OpenMetrics | Self::Prometheus)
    }

    /// Returns whether series have exemplars.
    pub(crate) const fn has_exemplars(self) -> bool {
        matches!(self, Self::OpenMetrics | Self::Protobuf)
    }

    /// Returns whether there are native histograms.
    pub(crate) const fn has_natives(self) -> bool {
        matches!(self, Self::Protobuf | Self::Otlp)
    }

    /// Returns the format for a request with this `Accept` header.
    ///
    /// Returns protobuf if the header contains it with at least the weight of both text
    /// formats; Prometheus asks for it if its native histograms are enabled. Otherwise
    /// returns OpenMetrics if the header contains a version of it before 2 with at least
    /// the weight of plain text. Otherwise returns Prometheus text, which all scrapers
    /// read, also for a header with none of them.
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
        let mut protobuf = 0;
        for range in accept.split(',') {
            let mut readable = true;
            let mut is_family = false;
            let mut is_delimited = false;
            let (media, weight) = weighted(range, |key, value| {
                if key.eq_ignore_ascii_case("version") {
                    readable = value.starts_with("0.") || value.starts_with("1.");
                }
                is_family |=
                    key.eq_ignore_ascii_case("proto") && value.eq_ignore_ascii_case(MESSAGE);
                is_delimited |=
                    key.eq_ignore_ascii_case("encoding") && value.eq_ignore_ascii_case("delimited");
            });
            if media.eq_ignore_ascii_case("application/openmetrics-text") && readable {
                open_metrics = open_metrics.max(weight);
            } else if media.eq_ignore_ascii_case("text/plain") && readable {
                plain = plain.max(weight);
            } else if media.eq_ignore_ascii_case("application/vnd.google.protobuf")
                && is_family
                && is_delimited
            {
                protobuf = protobuf.max(weight);
            }
        }
        if protobuf > 0 && protobuf >= open_metrics && protobuf >= plain {
            Self::Protobuf
        } else if open_metrics > 0 && open_metrics >= plain {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }
}

/// Returns whether a request with this `Accept-Encoding` header accepts gzip:
/// the header contains gzip with a weight above 0.
///
/// ```
/// # use fantail_exposition::takes_gzip;
/// assert!(takes_gzip("br;q=1.0, gzip;q=0.8"));
/// assert!(!takes_gzip("gzip;q=0, identity"));
/// ```
#[must_use]
pub fn takes_gzip(accept_encoding: &str) -> bool {
    accept_encoding.split(',').any(|coding| {
        let (name, weight) = weighted(coding, |_, _| {});
        name.eq_ignore_ascii_case("gzip") && weight > 0
    })
}

/// Splits a part of a header into its value and its weight in thousandths;
/// calls `parameter` for each other parameter.
fn weighted(part: &str, mut parameter: impl FnMut(&str, &str)) -> (&str, u32) {
    let mut parts = part.split(';').map(str::trim);
    let value = parts.next().unwrap_or_default();
    let mut weight = 1_000;
    for one in parts {
        let (key, value) = one.split_once('=').unwrap_or((one, ""));
        let (key, value) = (key.trim(), value.trim().trim_matches('"'));
        if key.eq_ignore_ascii_case("q") {
            weight = thousandths(value);
        } else {
            parameter(key, value);
        }
    }
    (value, weight)
}

/// Parses a weight of 0 to 1 with up to three decimals; returns 0 for other
/// text.
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
    use super::Format::{self, OpenMetrics, Prometheus, Protobuf};
    use super::takes_gzip;

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
        // The headers of Prometheus 2 and 3.
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

    #[test]
    fn protobuf_is_used_if_it_is_preferred() {
        let family = "application/vnd.google.protobuf;\
                      proto=io.prometheus.client.MetricFamily;encoding=delimited";
        // The headers of Prometheus 2.42 and 3 with native histograms.
        check(
            &format!(
                "{family},application/openmetrics-text;version=1.0.0;q=0.8,\
                 application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
            ),
            Protobuf,
        );
        check(
            &format!(
                "{family};q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,\
                 application/openmetrics-text;version=0.0.1;q=0.4,\
                 text/plain;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
            ),
            Protobuf,
        );
        check(Protobuf.content_type(), Protobuf);
        check(&family.to_uppercase(), Protobuf);
        check(&format!("{family};q=0.5,text/plain;q=0.6"), Prometheus);
        check(&format!("{family};q=0"), Prometheus);
        check("application/vnd.google.protobuf", Prometheus);
        check(&family.replace("delimited", "text"), Prometheus);
        check(&family.replace("MetricFamily", "Metric"), Prometheus);
    }

    fn check_gzip(accept: &str, expected: bool) {
        assert_eq!(takes_gzip(accept), expected, "{accept}");
    }

    #[test]
    fn gzip_is_used_if_the_client_accepts_it() {
        check_gzip("gzip", true);
        check_gzip("deflate, GZip;q=0.5", true);
        check_gzip("br;q=1.0, gzip; q=0.1, *;q=0", true);
        check_gzip("gzip;Q=1", true);
        check_gzip("", false);
        check_gzip("identity", false);
        check_gzip("gzip;q=0", false);
        check_gzip("gzip;Q=0", false);
        check_gzip("gzip;q=0.000", false);
        check_gzip("gzip;q=nan", false);
        check_gzip("x-gzip", false);
    }
}
