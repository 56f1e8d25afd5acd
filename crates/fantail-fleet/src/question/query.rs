//! The query of a URL: `metric=logins&level=1&value=anna`.
//!
//! Names and values are bytes; those that are neither letters, digits nor `-._~@` are
//! percent-encoded.

use std::fmt::Write as _;

use super::{GroupLevel, LookUpQuestion, Question, QuestionError, Rank, TopQuestion, Wanted};

/// The parts of a query.
#[derive(Debug, Default)]
struct Parts {
    metric: Option<Vec<u8>>,
    field: Option<Vec<u8>>,
    level: Option<Vec<u8>>,
    by: Option<Vec<u8>>,
    top: Option<Vec<u8>>,
    values: Vec<Vec<u8>>,
    prefix: Option<Vec<u8>>,
}

impl Question {
    /// Returns the query of a URL, without `?`.
    #[must_use]
    pub fn to_query(&self) -> String {
        let mut query = String::new();
        let mut add = |name: &str, value: &[u8]| {
            if !query.is_empty() {
                query.push('&');
            }
            query.push_str(name);
            query.push('=');
            encode(value, &mut query);
        };
        let level = |level: &GroupLevel, add: &mut dyn FnMut(&str, &[u8])| match level {
            GroupLevel::Last => {}
            GroupLevel::Field(field) => add("field", field),
            GroupLevel::Number(number) => add("level", number.to_string().as_bytes()),
        };
        match self {
            Self::Scrape => add("scrape", b"yes"),
            Self::Metrics(metric) => metric.iter().for_each(|metric| add("metric", metric)),
            Self::Top(top) => {
                add("metric", &top.metric);
                level(&top.level, &mut add);
                if let Rank::Sum(field) = &top.rank {
                    add("by", field);
                }
                add("top", top.count.to_string().as_bytes());
            }
            Self::LookUp(asked) => {
                asked.metric.iter().for_each(|metric| add("metric", metric));
                level(&asked.level, &mut add);
                match &asked.wanted {
                    Wanted::Values(values) => values.iter().for_each(|value| add("value", value)),
                    Wanted::Prefix(prefix) => add("prefix", prefix),
                }
            }
        }
        query
    }

    /// Parses the query of a URL.
    ///
    /// # Errors
    /// A part is unknown, repeated or invalid, or parts do not belong together.
    pub fn parse(query: &str) -> Result<Self, QuestionError> {
        if query == "scrape=yes" {
            return Ok(Self::Scrape);
        }
        let parts = Parts::parse(query)?;
        if parts.field.is_some() && parts.level.is_some() {
            return Err(QuestionError("expected `field` or `level`, not both"));
        }
        let has_level = parts.field.is_some() || parts.level.is_some();
        let level = match (parts.field, parts.level) {
            (Some(field), _) => GroupLevel::Field(field),
            (None, Some(number)) => GroupLevel::Number(number_of(&number)?),
            (None, None) => GroupLevel::Last,
        };
        let wanted = match (parts.values, parts.prefix) {
            (values, None) if values.is_empty() => None,
            (values, None) => Some(Wanted::Values(values)),
            (values, Some(prefix)) if values.is_empty() => Some(Wanted::Prefix(prefix)),
            _ => return Err(QuestionError("expected `value` or `prefix`, not both")),
        };
        match (parts.top, wanted, parts.by) {
            (Some(count), None, by) => Ok(Self::Top(TopQuestion {
                metric: parts.metric.ok_or(QuestionError("`top` needs `metric`"))?,
                level,
                rank: by.map_or(Rank::Events, Rank::Sum),
                count: number_of(&count)?.min(TopQuestion::MAX_VALUES),
            })),
            (None, Some(wanted), None) => Ok(Self::LookUp(LookUpQuestion {
                metric: parts.metric,
                level,
                wanted,
            })),
            (None, None, None) if !has_level => Ok(Self::Metrics(parts.metric)),
            _ => Err(QuestionError(
                "expected `metric`, or `metric`, `field` and `top`, or `field` and `value`",
            )),
        }
    }
}

impl Parts {
    fn parse(query: &str) -> Result<Self, QuestionError> {
        let mut parts = Self::default();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let value = decode(value)?;
            let place = match name {
                "metric" => &mut parts.metric,
                "field" => &mut parts.field,
                "level" => &mut parts.level,
                "by" => &mut parts.by,
                "top" => &mut parts.top,
                "prefix" => &mut parts.prefix,
                "value" => {
                    parts.values.push(value);
                    continue;
                }
                _ => return Err(QuestionError("unknown part of the query")),
            };
            if place.replace(value).is_some() {
                return Err(QuestionError("a part of the query is repeated"));
            }
        }
        Ok(parts)
    }
}

fn number_of(text: &[u8]) -> Result<usize, QuestionError> {
    let number = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    let number = number.filter(|number| *number > 0);
    number.ok_or(QuestionError("expected a number from 1"))
}

fn encode(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(byte) {
            out.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

fn decode(text: &str) -> Result<Vec<u8>, QuestionError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let digits = rest.split_at_checked(2);
                let (digits, after) = digits.ok_or(QuestionError("`%` without two digits"))?;
                rest = after;
                let digits = str::from_utf8(digits).ok();
                let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
                let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                byte.ok_or(QuestionError("`%` without two digits"))?
            }
            byte => *byte,
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: &Question) {
        assert_eq!(Question::parse(query).as_ref(), Ok(expected));
        assert_eq!(expected.to_query(), query);
    }

    #[test]
    fn questions_are_queries() {
        check("", &Question::Metrics(None));
        check("scrape=yes", &Question::Scrape);
        check(
            "metric=log%2Fall",
            &Question::Metrics(Some(b"log/all".to_vec())),
        );
        let top = TopQuestion {
            metric: b"logins".to_vec(),
            level: GroupLevel::Last,
            rank: Rank::Events,
            count: 10,
        };
        check("metric=logins&top=10", &Question::Top(top.clone()));
        let summed = TopQuestion {
            level: GroupLevel::Field(b"user".to_vec()),
            rank: Rank::Sum(b"bytes_in".to_vec()),
            ..top
        };
        check(
            "metric=logins&field=user&by=bytes_in&top=10",
            &Question::Top(summed),
        );
        let values = LookUpQuestion {
            metric: None,
            level: GroupLevel::Number(2),
            wanted: Wanted::Values(vec![b"anna@example.com".to_vec(), b"\xff &=\0".to_vec()]),
        };
        check(
            "level=2&value=anna@example.com&value=%FF%20%26%3D%00",
            &Question::LookUp(values.clone()),
        );
        let prefix = LookUpQuestion {
            metric: Some(b"a".to_vec()),
            wanted: Wanted::Prefix(b"an".to_vec()),
            ..values
        };
        check("metric=a&level=2&prefix=an", &Question::LookUp(prefix));
    }

    #[test]
    fn other_queries_are_errors() {
        for query in [
            "top=10",
            "metric=a&top=0",
            "metric=a&top=-1",
            "metric=a&top=x",
            "metric=a&metric=b",
            "metric=a&field=b",
            "metric=%4",
            "metric=%+1",
            "metric=a&by=c",
            "field=a&level=1&value=b",
            "field=a&value=b&prefix=c",
            "metric=a&top=3&value=b",
            "x=1",
        ] {
            assert!(Question::parse(query).is_err(), "{query}");
        }
        let Ok(Question::Top(top)) = Question::parse("metric=a&top=99999999") else {
            panic!("no question");
        };
        assert_eq!(top.count, TopQuestion::MAX_VALUES);
    }
}
