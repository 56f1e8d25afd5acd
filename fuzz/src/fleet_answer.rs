//! Answers of the hosts of a fleet, and questions to them.
//!
//! The input is an answer; with the first byte 1, the frames of one whose checksums are
//! added, which no fuzzer can guess; with 2, the query of a question.

use fantail_fleet::{
    Answer, AnswerLimits, GroupLevel, LookUpQuestion, Question, Rank, Selected, Sum, SumLimits,
    TopQuery, TopQuestion, Wanted, look_up,
};

const LIMITS: AnswerLimits = AnswerLimits {
    metric_bytes: 1 << 16,
    bytes: 1 << 17,
    distributions: 10_000,
};

/// What is read is within its limits, can be merged, asked and looked up, and is written
/// again as the same; a question is its query.
///
/// # Panics
/// Panics if one of these does not hold.
pub fn fleet_answer(data: &[u8]) {
    match data {
        [1, frames @ ..] => read(&summed(frames)),
        [2, query @ ..] => {
            if let Ok(question) = str::from_utf8(query).map(Question::parse)
                && let Ok(question) = question
            {
                assert_eq!(Question::parse(&question.to_query()), Ok(question));
            }
        }
        _ => read(data),
    }
}

fn read(bytes: &[u8]) {
    let Ok(answer) = Answer::read(&mut &*bytes, &LIMITS) else {
        return;
    };
    let distributions = answer.metrics.iter().map(|answered| {
        let fields = answered.metric.settings().fields.len();
        answered.metric.series().len() * (1 + fields)
    });
    assert!(distributions.sum::<usize>() <= LIMITS.distributions);
    if let Some(first) = answer.metrics.first() {
        let dialect = first.dialect;
        if answer.metrics.iter().all(|one| one.dialect == dialect) {
            write_again(&answer, dialect);
        }
        ask(&answer, &first.metric.settings().name);
    }
}

fn write_again(answer: &Answer, dialect: fantail_event::Dialect) {
    let selected = Selected {
        dialect,
        metrics: answer
            .metrics
            .iter()
            .map(|one| one.metric.clone())
            .collect(),
        unseen: answer.unseen,
        is_cut: answer.is_cut,
    };
    let mut filters = answer.metrics.iter().map(|one| one.filter.clone());
    let mut bytes = Vec::new();
    let filter = |_: &_| filters.next().expect("a filter of each metric");
    fantail_fleet::write(&answer.head, &selected, filter, &mut bytes).expect("a vector");
    let again = Answer::read(&mut &*bytes, &LIMITS).expect("an answer that was written");
    assert_eq!(again.head, answer.head);
    assert_eq!((again.unseen, again.is_cut), (answer.unseen, answer.is_cut));
    let schemas = |answer: &Answer| {
        answer
            .metrics
            .iter()
            .map(|one| one.schema)
            .collect::<Vec<_>>()
    };
    assert_eq!(schemas(&again), schemas(answer));
}

/// An answer added to itself has the same series.
fn ask(answer: &Answer, metric: &[u8]) {
    let mut sum = Sum::new(SumLimits::default());
    sum.add(0, answer.clone()).expect("few series");
    let series = sum.series();
    if answer.metrics.len() == 1 {
        sum.add(1, answer.clone()).expect("few series");
        assert_eq!(sum.series(), series);
    }
    let question = LookUpQuestion {
        metric: None,
        level: GroupLevel::Last,
        wanted: Wanted::Prefix(Vec::new()),
    };
    for metric in sum.finish().snapshot.metrics() {
        let _ = look_up(metric, &question);
    }
    let question = TopQuestion {
        metric: metric.to_vec(),
        level: GroupLevel::Last,
        rank: Rank::Events,
        count: 3,
    };
    let mut query = TopQuery::new(question, 3);
    query.add_first(0, answer.clone());
    let _ = query.second();
    let top = query.finish();
    for row in &top.rows {
        assert!(
            row.at_most.is_none_or(|most| most >= row.at_least),
            "{row:?}"
        );
    }
}

/// Adds the checksums of heads, ends and states to frames.
fn summed(frames: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = frames;
    while let [kind, length, after @ ..] = rest {
        let (body, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        let mut body = match kind {
            1 => [b"fantail fleet\n\x01", body].concat(),
            2 => {
                let length = (body.len() as u64).to_le_bytes();
                [b"fantail state\n\x01\0\0\0", &length[..], body].concat()
            }
            _ => body.to_vec(),
        };
        let sum = fantail_metrics::internal::hash(&body);
        body.extend_from_slice(&sum.to_le_bytes());
        let length = u32::try_from(body.len()).expect("a short frame");
        out.push(*kind);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&body);
    }
    out
}
