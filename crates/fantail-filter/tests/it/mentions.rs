//! What filters mention is what a set has slots for, and what a server asks
//! its clients for.

use std::collections::BTreeSet;

use fantail_event::{
    Dialect::{self, V2_3, V2_4},
    escape,
};
use fantail_filter::{Filter, FilterSet, Mentions, handshake};
use fantail_syntax::ParseOptions;

use crate::vectors::read_lines;

/// All filters of the vectors that this dialect can read.
fn filters(dialect: Dialect) -> Vec<Filter> {
    let cases = read_lines("cases.tsv");
    let texts = cases
        .iter()
        .map(|case| case.split(|&b| b == b'\t').nth(1).unwrap());
    let options = ParseOptions::new(dialect);
    texts
        .filter_map(|text| Filter::parse(&escape::unescape(text), &options).ok())
        .collect()
}

fn mentions(filters: &[Filter]) -> Mentions {
    let mut mentions = Mentions::new();
    filters.iter().for_each(|filter| mentions.add(filter));
    mentions
}

#[track_caller]
fn check(filters: &[Filter], dialect: Dialect) {
    let mentioned = mentions(filters);
    let set: FilterSet = filters.iter().collect();
    let slots = set.slots();
    let own = |is_duration: bool| {
        let keys = slots
            .iter()
            .filter(move |(_, _, duration)| *duration == is_duration);
        keys.map(|(_, key, _)| key.to_vec())
            .collect::<BTreeSet<_>>()
    };
    let fields: BTreeSet<_> = mentioned.fields().map(<[u8]>::to_vec).collect();
    assert_eq!(
        (own(false), !own(true).is_empty()),
        (fields, mentioned.duration())
    );

    // As long as a filter may be.
    let joined = handshake(filters);
    let options = ParseOptions {
        limits: fantail_syntax::Limits::NONE,
        ..ParseOptions::new(dialect)
    };
    let asked = Filter::parse(&joined, &options).unwrap();
    let asked = Mentions::of(&asked);
    assert!(asked.fields().eq(mentioned.fields()));
    assert!(asked.categories().eq(mentioned.categories()));
    assert!(asked.levels().eq(mentioned.levels()));
    assert_eq!(asked.names().len(), mentioned.names().len());
    assert!(
        asked
            .names()
            .iter()
            .all(|name| mentioned.names().contains(name))
    );
    let rest = |it: &Mentions| (it.source(), it.duration(), it.unnamed());
    assert_eq!(rest(&asked), rest(&mentioned));
}

#[test]
fn slots_and_handshake_of_all_vectors() {
    for dialect in [V2_3, V2_4] {
        let filters: Vec<_> = filters(dialect)
            .into_iter()
            .filter(|f| !f.is_empty())
            .collect();
        assert!(filters.len() > 3_000);
        check(&filters, dialect);
        for few in filters.chunks(7) {
            check(few, dialect);
        }
    }
}
