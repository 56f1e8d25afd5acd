//! Headers of scrapers that fantail parses: `Accept` and `Accept-Encoding`.
//!
//! The input's first line is a value of `Accept`, the second one of
//! `Accept-Encoding`.

use fantail_exposition::{Format, takes_gzip};

/// The answer is independent of letter case, order, repetition and blanks of
/// the header; a format or encoding that no part contains is not used.
///
/// # Panics
/// Panics if one of these does not hold.
pub fn http_request(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (accept, encoding) = text.split_once('\n').unwrap_or((&text, ""));
    depends_on_the_meaning_alone(accept, Format::negotiate);
    depends_on_the_meaning_alone(encoding, takes_gzip);
    let names = |text: &str, name| text.to_ascii_lowercase().contains(name);
    let format = Format::negotiate(accept);
    let needed = match format {
        Format::OpenMetrics => "application/openmetrics-text",
        Format::Protobuf => "application/vnd.google.protobuf",
        Format::Prometheus => "",
        other => unreachable!("{other:?} is not for scrapes"),
    };
    assert!(names(accept, needed), "{format:?}");
    assert_eq!(Format::negotiate(format.content_type()), format);
    assert!(names(encoding, "gzip") || !takes_gzip(encoding));
    assert!(!takes_gzip(&encoding.replace(',', ";q=0,").add_weight("0")));
    let plain = accept.replace(',', ";q=0,").add_weight("0");
    assert_eq!(Format::negotiate(&plain), Format::Prometheus);
}

fn depends_on_the_meaning_alone<T: PartialEq + std::fmt::Debug>(
    header: &str,
    answer: impl Fn(&str) -> T,
) {
    let expected = answer(header);
    assert_eq!(answer(&header.to_ascii_uppercase()), expected);
    assert_eq!(answer(&header.to_ascii_lowercase()), expected);
    let mut parts: Vec<&str> = header.split(',').collect();
    parts.reverse();
    assert_eq!(answer(&parts.join(" ,\t")), expected);
    assert_eq!(answer(&[&*parts, &*parts].concat().join(",")), expected);
    assert_eq!(answer(&header.replace(';', "\t; ")), expected);
}

trait AddWeight {
    fn add_weight(self, weight: &str) -> String;
}

impl AddWeight for String {
    /// Adds a last part with this weight.
    fn add_weight(self, weight: &str) -> String {
        format!("{self};q={weight}")
    }
}
