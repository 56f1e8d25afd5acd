//! Asks many hosts at the same time.

use std::{
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use fantail::fleet::{Answer, Question};

use super::{
    address::Address,
    client::Client,
    notes::{Kind, Notes},
};

/// Asks each host its question, `concurrency` at a time, and passes the answers on as
/// they come. Answers wait packed, one for each request, and one is decoded at a time.
pub(super) fn each(
    client: &Client,
    hosts: &[Address],
    questions: &[(usize, Question)],
    concurrency: u16,
    mut take: impl FnMut(usize, &Question, Result<Answer, String>),
) {
    let next = AtomicUsize::new(0);
    let (send, answers) = mpsc::sync_channel(0);
    thread::scope(|scope| {
        for _ in 0..questions.len().min(concurrency.into()) {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                while let Some((host, question)) =
                    questions.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let Some(address) = hosts.get(*host) else {
                        continue;
                    };
                    let answer = client.ask(address, question);
                    if send.send((*host, question, answer)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        for (host, question, answer) in answers {
            take(host, question, answer.and_then(|packed| packed.answer()));
        }
    });
}

/// Asks all hosts one question; `take` gets the answers that count.
pub(super) fn all(
    client: &Client,
    (hosts, notes): (&[Address], &mut Notes<'_>),
    question: &Question,
    concurrency: u16,
    mut take: impl FnMut(usize, Answer, &mut Notes<'_>),
) {
    let questions: Vec<_> = (0..hosts.len())
        .map(|host| (host, question.clone()))
        .collect();
    each(
        client,
        hosts,
        &questions,
        concurrency,
        |host, _, answer| match answer {
            Ok(answer) => {
                if notes.admit(host, &answer.head) {
                    take(host, answer, notes);
                }
            }
            Err(why) => notes.add(host, Kind::Missing, why),
        },
    );
}
