//! Answers as bytes, and damaged ones.

use std::io;

use fantail_fleet::{Answer, AnswerErrorKind, AnswerLimits, Instances, Question, Repeated};

use crate::hosts::{FILTER, Host, read};

fn host() -> Host {
    let mut host = Host::new(1);
    for user in ["anna", "bert", "anna"] {
        host.login("imap", user);
    }
    host
}

#[track_caller]
fn check(bytes: &[u8], limits: &AnswerLimits, expected: AnswerErrorKind) {
    let error = Answer::read(&mut &*bytes, limits).map(drop).unwrap_err();
    assert_eq!(error.kind(), expected, "{error}");
}

#[test]
fn an_answer_is_read_as_it_was_written() {
    let host = host();
    let answer = host.answer(&Question::Metrics(None));
    assert_eq!(answer.head.host, b"mail1");
    assert_eq!(answer.head.instance, [1; 16]);
    let [logins] = answer.metrics.as_slice() else {
        panic!("{answer:?}");
    };
    assert_eq!(logins.filter, FILTER);
    let snapshot = host.registry.snapshot();
    let [expected] = snapshot.metrics() else {
        panic!("{snapshot:?}");
    };
    let text = |metric: &fantail_metrics::MetricSnapshot| {
        let series = metric.series().iter();
        let text = series.map(|one| format!("{} {:?}", one.depth(), one.distributions()));
        text.collect::<Vec<_>>()
    };
    assert_eq!(text(&logins.metric), text(expected));
    assert!(
        host.answer(&Question::Metrics(Some(b"x".to_vec())))
            .metrics
            .is_empty()
    );
}

#[test]
fn a_part_of_an_answer_is_cut_off() {
    let bytes = host().bytes(&Question::Metrics(None));
    for length in 0..bytes.len() {
        check(
            &bytes[..length],
            &AnswerLimits::default(),
            AnswerErrorKind::CutOff,
        );
    }
}

#[test]
fn a_changed_answer_is_refused() {
    let bytes = host().bytes(&Question::Metrics(None));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let read = Answer::read(&mut &*changed, &AnswerLimits::default());
        assert!(read.is_err(), "byte {at} is changed");
    }
    check(
        b"HTTP/1.1 200",
        &AnswerLimits::default(),
        AnswerErrorKind::NotAnAnswer,
    );
    let mut later = bytes;
    // After the frame's header and the magic.
    later[5 + b"fantail fleet\n".len()] = 2;
    check(
        &later,
        &AnswerLimits::default(),
        AnswerErrorKind::UnknownVersion,
    );
}

#[test]
fn an_answer_is_bounded() {
    let bytes = host().bytes(&Question::Metrics(None));
    let limits = |metric_bytes, bytes, distributions| AnswerLimits {
        metric_bytes,
        bytes,
        distributions,
    };
    check(&bytes, &limits(20, 1 << 20, 100), AnswerErrorKind::TooLong);
    check(&bytes, &limits(1 << 20, 100, 100), AnswerErrorKind::TooLong);
    // The metric, `imap`, two users, each with the duration and a field.
    check(
        &bytes,
        &limits(1 << 20, 1 << 20, 7),
        AnswerErrorKind::Malformed,
    );
    let whole = Answer::read(&mut &*bytes, &limits(1 << 20, 1 << 20, 8));
    assert!(whole.is_ok(), "{whole:?}");
    // A frame that states a length takes no memory before its bytes come.
    let mut endless = bytes;
    endless[1..5].copy_from_slice(&u32::MAX.to_le_bytes());
    check(&endless, &AnswerLimits::default(), AnswerErrorKind::TooLong);
}

#[test]
fn a_connection_that_fails_is_an_error() {
    struct Failing;
    impl io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    let error = Answer::read(&mut Failing, &AnswerLimits::default()).unwrap_err();
    assert_eq!(error.kind(), AnswerErrorKind::Io);
}

#[test]
fn a_process_counts_once() {
    let [one, other] = [1, 2].map(|number| read(&Host::new(number).bytes(&Question::Scrape)));
    let mut instances = Instances::default();
    assert_eq!(instances.admit(0, &one.head), Ok(()));
    assert_eq!(instances.admit(1, &other.head), Ok(()));
    assert_eq!(instances.admit(2, &one.head), Err(Repeated::Process(0)));
    assert_eq!(instances.admit(0, &one.head), Ok(()));
}
