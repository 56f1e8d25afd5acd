//! One answer from the metrics of many hosts.
//!
//! A [`Question`] is asked of each host, which [selects](select) the series that the
//! answer needs and writes them as an [`Answer`]. The answers are merged: [`Sum`] adds
//! whole metrics, [`TopQuery`] finds the values with the largest numbers in two rounds,
//! and [`look_up`] adds the series of one value. Each says how exact it is.
//!
//! ```
//! use fantail_event::{Dialect, Event, SentEvent};
//! use fantail_fleet::{Answer, AnswerLimits, Head, Question, Sum, SumLimits, select};
//! use fantail_metrics::{MetricSettings, Registry};
//!
//! let question = Question::Metrics(None);
//! let answer_of_host = |host: &str, events: usize| {
//!     let mut registry = Registry::new(Dialect::V2_4);
//!     let settings = MetricSettings { name: b"logins".to_vec(), ..Default::default() };
//!     let id = registry.add(settings).unwrap();
//!     (0..events).for_each(|_| {
//!         registry.observe(id, &SentEvent::alone(&Event::default()));
//!     });
//!     let head = Head { host: host.into(), ..Head::default() };
//!     let selected = select(&question, &registry.snapshot());
//!     let mut bytes = Vec::new();
//!     fantail_fleet::write(&head, &selected, |_| b"event=login".to_vec(), &mut bytes).unwrap();
//!     bytes
//! };
//! let mut sum = Sum::new(SumLimits::default());
//! for (at, bytes) in [answer_of_host("mail1", 2), answer_of_host("mail2", 3)].iter().enumerate() {
//!     let answer = Answer::read(&mut bytes.as_slice(), &AnswerLimits::default())?;
//!     sum.add(at, answer).unwrap();
//! }
//! let summed = sum.finish();
//! let logins = &summed.snapshot.metrics()[0];
//! assert_eq!(logins.series().get(0).unwrap().duration().count(), 5);
//! # Ok::<(), fantail_fleet::AnswerError>(())
//! ```
//!
//! The crate opens no connection and reads no clock: the caller carries questions and
//! answers.

mod answer;
pub mod counts;
pub mod events;
mod instances;
mod look_up;
mod question;
mod rows;
mod schema;
mod select;
mod sum;
mod top;

pub use crate::{
    answer::{
        Answer, AnswerLimits, Answered, Head, Share,
        error::{AnswerError, AnswerErrorKind},
        write::write,
    },
    instances::{Instances, Repeated},
    look_up::{Found, LookUp, look_up},
    question::{GroupLevel, LookUpQuestion, Question, QuestionError, Rank, TopQuestion, Wanted},
    schema::SchemaId,
    select::{Selected, select},
    sum::{OtherSchema, Sum, SumLimits, Summed, TooManySeries},
    top::{TopQuery, TopRow, TopValues},
};
