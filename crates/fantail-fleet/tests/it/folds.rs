//! Folding: the sum stays, and attempts that fail have no effect.

use std::time::Duration;

use fantail_fleet::counts::{
    Aggregator, AggregatorLimits, Arrival, FoldOrder, FoldRules, Folder, Message, PartRange,
};

use crate::counts::{close, login, published, registry, rows, session};

const RULES: FoldRules = FoldRules {
    retire_after: Duration::from_secs(600),
    remove_after: Duration::from_secs(60),
};

/// A reader of messages that come one after another.
struct Reader {
    aggregator: Aggregator,
    sequence: u64,
}

impl Reader {
    fn new(range: PartRange) -> Self {
        let mut aggregator = Aggregator::new(AggregatorLimits::default(), range);
        aggregator.note_removable();
        Self {
            aggregator,
            sequence: 0,
        }
    }

    fn take(&mut self, messages: &[Message], seconds: u64) {
        for message in messages {
            self.sequence += 1;
            let now = Duration::from_secs(seconds);
            let arrival = Arrival {
                sequence: self.sequence,
                stored: now,
                now,
            };
            self.aggregator.take(message.clone(), arrival);
        }
    }
}

/// What a fold process publishes in a turn, with the sequences that it expects, and what it
/// removes.
fn turn(folder: &mut Folder, reader: &Reader, seconds: u64) -> (Vec<(Message, u64)>, usize) {
    let now = Duration::from_secs(seconds);
    folder.begin(&reader.aggregator, u128::from(seconds) << 64, now);
    let (mut published, mut removed) = (Vec::new(), 0);
    while let Some(order) = folder.next_order() {
        match order {
            FoldOrder::Publish { message, expected } => {
                let message = Message::read(&message.bytes, 1_000_000).unwrap();
                published.push((message, expected));
            }
            FoldOrder::Remove { .. } => removed += 1,
        }
        folder.answered(true);
    }
    (published, removed)
}

/// The messages of a run that counts logins of users, and ends.
fn ended(run: u128, users: usize) -> Vec<Message> {
    let mut registry = registry(&[]);
    for user in 0..users {
        login(&mut registry, &format!("user{user}"), "::1");
    }
    let mut session = session("mail1", run);
    let mut all = published(&mut session, &registry);
    all.extend(close(&mut session));
    all
}

fn only(messages: &[(Message, u64)]) -> Vec<Message> {
    messages
        .iter()
        .map(|(message, _)| message.clone())
        .collect()
}

#[test]
fn a_fold_changes_no_sum_and_no_prefix_of_it_does() {
    let mut reader = Reader::new(PartRange::ALL);
    let mut folder = Folder::new(b"mail".to_vec(), RULES);
    let mut before = Vec::new();
    for (run, seconds) in [(1, 10), (2, 100), (3, 200)] {
        reader.take(&ended(run, 40), seconds);
        let expected = rows(&reader.aggregator);
        assert_ne!(expected, before);
        let (fold, _) = turn(&mut folder, &reader, seconds);
        assert!(fold.len() > 30, "{} messages", fold.len());
        for (message, _) in &fold {
            reader.take(std::slice::from_ref(message), seconds);
            assert_eq!(rows(&reader.aggregator), expected, "{message:?}");
        }
        assert_eq!(
            reader.aggregator.folded_runs(),
            (u64::try_from(run).unwrap(), 0)
        );
        assert_eq!(reader.aggregator.runs(Duration::ZERO).count(), 0);
        before = expected;
    }
    // What was folded 60 seconds ago and before is removed: two runs and an attempt.
    let (fold, removed) = turn(&mut folder, &reader, 260);
    assert!(fold.is_empty());
    assert_eq!(removed, 3);
    // Messages of a run that is folded do not count.
    reader.take(&ended(2, 40), 300);
    assert_eq!(rows(&reader.aggregator), before);
}

#[test]
fn the_head_replaces_only_the_head_that_the_fold_builds_on() {
    let mut reader = Reader::new(PartRange::ALL);
    reader.take(&ended(1, 5), 1);
    let [mut one, mut other] = [1, 2].map(|_| Folder::new(b"mail".to_vec(), RULES));
    let (first, _) = turn(&mut one, &reader, 1);
    let (second, _) = turn(&mut other, &reader, 2);
    assert_eq!((first.last().unwrap().1, second.last().unwrap().1), (0, 0));
    let expected = rows(&reader.aggregator);
    reader.take(&only(&first), 2);
    let head = reader.sequence;
    // The parts of the other one without its head, which the stream refuses.
    let (_, parts) = second.split_last().unwrap();
    reader.take(&only(parts), 2);
    assert_eq!(rows(&reader.aggregator), expected);
    reader.take(&ended(2, 5), 3);
    // The first head must be on the disk of the broker.
    assert!(turn(&mut other, &reader, 61).0.is_empty());
    let (third, _) = turn(&mut other, &reader, 62);
    assert_eq!(third.last().unwrap().1, 0);
    reader.take(&only(&third), 62);
    // The heads take turns on two subjects.
    reader.take(&ended(3, 5), 63);
    let (fourth, _) = turn(&mut one, &reader, 122);
    assert_eq!(fourth.last().unwrap().1, head);
}

/// The messages of a range come without order: those of each subject are read apart.
#[test]
fn ranges_have_disjoint_parts_of_the_fold_in_any_order() {
    let mut whole = Reader::new(PartRange::ALL);
    let run = ended(1, 200);
    whole.take(&run, 1);
    let (fold, _) = turn(&mut Folder::new(b"mail".to_vec(), RULES), &whole, 1);
    let expected = whole.aggregator.series();
    let mut all = 0;
    for range in ["0-63", "64-191", "192-255"] {
        let mut reader = Reader::new(range.parse().unwrap());
        // The head first, and the runs last.
        let fold: Vec<_> = only(&fold).into_iter().rev().collect();
        let (head, parts) = fold.split_first().unwrap();
        reader.take(std::slice::from_ref(head), 1);
        let completeness = reader.aggregator.completeness(Duration::ZERO);
        assert!(!completeness.is_complete());
        reader.take(parts, 1);
        reader.take(&run, 1);
        let completeness = reader.aggregator.completeness(Duration::ZERO);
        assert!(completeness.is_complete(), "{completeness:?}");
        all += reader.aggregator.series();
    }
    assert_eq!(all, expected);
}

#[test]
fn a_silent_run_is_claimed_and_its_host_knows_what_is_lost() {
    let mut reader = Reader::new(PartRange::ALL);
    let mut folder = Folder::new(b"mail".to_vec(), RULES);
    let mut registry = registry(&[]);
    login(&mut registry, "anna", "::1");
    let mut silent = session("mail1", 1);
    reader.take(&published(&mut silent, &registry), 0);
    assert_eq!(silent.asked(0), None);
    // The broker's clock is that of its messages.
    reader.take(&ended(2, 1), 601);
    let (all, _) = turn(&mut folder, &reader, 601);
    let claims: Vec<_> = all
        .iter()
        .filter(|(message, _)| matches!(message, Message::Claim(claim) if claim.run == 1))
        .collect();
    assert_eq!(claims.len(), 1);
    reader.take(&only(&all), 601);
    let expected = rows(&reader.aggregator);
    assert_eq!(
        reader.aggregator.folded_runs(),
        (1, 0),
        "the run that ended"
    );
    let (all, _) = turn(&mut folder, &reader, 660);
    assert!(all.is_empty(), "the host may have messages under way");
    let (all, _) = turn(&mut folder, &reader, 661);
    reader.take(&only(&all), 661);
    assert_eq!(reader.aggregator.folded_runs(), (2, 1));
    assert_eq!(rows(&reader.aggregator), expected);
    // Two logins are not published yet.
    login(&mut registry, "bert", "::1");
    login(&mut registry, "bert", "::1");
    let late = published(&mut silent, &registry);
    assert_eq!(silent.asked(17), Some(2));
    reader.take(&late, 700);
    assert_eq!(rows(&reader.aggregator), expected);
}

#[test]
fn the_definition_that_was_folded_last_counts_if_no_host_has_one() {
    let mut reader = Reader::new(PartRange::ALL);
    let mut folder = Folder::new(b"mail".to_vec(), RULES);
    for (run, fields) in [(1, &["bytes"][..]), (2, &[])] {
        let mut registry = registry(fields);
        login(&mut registry, "anna", "::1");
        let mut session = session("mail1", run);
        let mut all = published(&mut session, &registry);
        all.extend(close(&mut session));
        reader.take(&all, 1);
        let seconds = 100 * u64::try_from(run).unwrap();
        let (fold, _) = turn(&mut folder, &reader, seconds);
        reader.take(&only(&fold), seconds);
        let summed = reader.aggregator.totals().summed;
        let metric = &summed.snapshot.metrics()[0];
        assert_eq!(metric.settings().fields.len(), fields.len());
        assert_eq!(metric.series().get(0).unwrap().duration().count(), 1);
    }
}
