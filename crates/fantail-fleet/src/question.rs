//! Questions, and their form in the query of a URL.

mod query;

use std::fmt;

/// What a host is asked for.
///
/// ```
/// use fantail_fleet::{GroupLevel, LookUpQuestion, Question, Wanted};
///
/// let question = Question::LookUp(LookUpQuestion {
///     metric: None,
///     level: GroupLevel::Field(b"user".to_vec()),
///     wanted: Wanted::Prefix(b"an".to_vec()),
/// });
/// // As hosts get it in a URL.
/// assert_eq!(Question::parse(&question.to_query()), Ok(question));
/// assert!(Question::parse("what=everything").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// All series of all metrics, or of one.
    Metrics(Option<Vec<u8>>),
    /// All series of the metrics that a scrape has.
    Scrape,
    /// The values with the largest numbers.
    Top(TopQuestion),
    /// The series of some values.
    LookUp(LookUpQuestion),
}

/// The level of `group_by` that a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupLevel {
    /// The last level.
    Last,
    /// The last level with this field.
    Field(Vec<u8>),
    /// The level of this number, from 1.
    Number(usize),
}

/// The number by which values are ranked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rank {
    /// The number of events.
    Events,
    /// The sum of a field; `duration` is the duration in microseconds.
    Sum(Vec<u8>),
}

/// The question for the values with the largest numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopQuestion {
    /// The metric.
    pub metric: Vec<u8>,
    /// The level whose values are ranked.
    pub level: GroupLevel,
    /// The number that decides.
    pub rank: Rank,
    /// The number of values, at most [`MAX_VALUES`](Self::MAX_VALUES).
    pub count: usize,
}

impl TopQuestion {
    /// The largest number of values of an answer.
    pub const MAX_VALUES: usize = 10_000;
}

/// The question for the series of some values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookUpQuestion {
    /// The only metric to look at; otherwise, all that have the level.
    pub metric: Option<Vec<u8>>,
    /// The level with the values.
    pub level: GroupLevel,
    /// The values.
    pub wanted: Wanted,
}

impl LookUpQuestion {
    /// The largest number of values of an answer to a [prefix](Wanted::Prefix).
    pub const MAX_VALUES: usize = 1_000;
}

/// The values that are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// These values, or keys of series as in an answer.
    Values(Vec<Vec<u8>>),
    /// The values that begin with these bytes.
    Prefix(Vec<u8>),
}

/// A query that is no question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionError(&'static str);

impl fmt::Display for QuestionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for QuestionError {}
