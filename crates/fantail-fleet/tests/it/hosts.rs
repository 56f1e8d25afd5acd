//! Hosts, each with a registry.

use std::time::Duration;

use fantail_event::{Dialect, Event, SentEvent, Timestamp};
use fantail_fleet::{Answer, AnswerLimits, Head, Question, select};
use fantail_metrics::{GroupBy, Limits, Method, MetricId, MetricSettings, Registry};

/// The filter of all metrics.
pub(crate) const FILTER: &[u8] = b"event=login";

/// A host with a metric `logins` by `service` and `user`.
pub(crate) struct Host {
    pub(crate) registry: Registry,
    metric: MetricId,
    number: u8,
}

impl Host {
    pub(crate) fn new(number: u8) -> Self {
        Self::with_limit(number, usize::MAX)
    }

    /// A host whose metric has this many series at most.
    pub(crate) fn with_limit(number: u8, series: usize) -> Self {
        let mut registry = Registry::new(Dialect::V2_4);
        registry.set_limits(Limits {
            series_per_metric: series,
            ..Limits::default()
        });
        let metric = registry.add(logins()).unwrap();
        Self {
            registry,
            metric,
            number,
        }
    }

    pub(crate) fn login(&mut self, service: &str, user: &str) {
        let event = Event::builder(Timestamp::from_unix_micros(0))
            .field("service", service)
            .field("user", user)
            .field("bytes", user.len() as u64)
            .build()
            .unwrap();
        let sent = SentEvent::alone(&event);
        self.registry.observe(self.metric, &sent);
    }

    pub(crate) fn drop_idle(&mut self) {
        for seconds in [10, 20, 30] {
            let (now, idle) = (Duration::from_secs(seconds), Duration::from_secs(1));
            self.registry.drop_idle(now, idle);
        }
    }

    /// The answer to a question, as bytes.
    pub(crate) fn bytes(&self, question: &Question) -> Vec<u8> {
        let head = Head {
            host: format!("mail{}", self.number).into(),
            instance: [self.number; 16],
            ..Head::default()
        };
        let selected = select(question, &self.registry.snapshot());
        let mut bytes = Vec::new();
        fantail_fleet::write(&head, &selected, |_| FILTER.to_vec(), &mut bytes).unwrap();
        bytes
    }

    /// The answer to a question, as it was asked for in the query of a URL.
    pub(crate) fn answer(&self, question: &Question) -> Answer {
        let asked = Question::parse(&question.to_query()).unwrap();
        assert_eq!(&asked, question);
        read(&self.bytes(&asked))
    }
}

pub(crate) fn logins() -> MetricSettings {
    let level = |field: &str| GroupBy::new(field, Method::Discrete(Vec::new()));
    MetricSettings {
        name: b"logins".to_vec(),
        fields: vec![b"bytes".to_vec()],
        group_by: vec![level("service"), level("user")],
        ..MetricSettings::default()
    }
}

pub(crate) fn read(bytes: &[u8]) -> Answer {
    Answer::read(&mut &*bytes, &AnswerLimits::default()).unwrap()
}
