//! What an event has from its parents and the global event. The answers are
//! those of libdovecot 2.3.19 and 2.4.1; the two agree but where it is said.

use fantail_event::Dialect::{V2_3, V2_4};
use fantail_filter::Filter;
use fantail_syntax::ParseOptions;

use crate::events::Family;

/// Which of the filters match, in either dialect.
#[track_caller]
fn check(family: &Family, filters: &[(&str, bool)]) {
    for dialect in [V2_3, V2_4] {
        for &(text, expected) in filters {
            let filter = Filter::parse(text.as_bytes(), &ParseOptions::new(dialect)).unwrap();
            let matches = family.send(|event| filter.matches(event));
            assert_eq!(matches, expected, "{text} in {dialect}");
        }
    }
}

#[test]
fn fields_of_parents_and_the_global_event() {
    let parent = Family::new(&["Sb c", "Sa p"], &[]);
    check(
        &parent,
        &[
            ("a=p", true),
            ("a=\"\"", false),
            ("a=*", true),
            ("b=c", true),
        ],
    );
    let global = Family::new(&["Sb c"], &["Sa g"]);
    check(&global, &[("a=g", true), ("a=\"\"", false), ("b=c", true)]);
    let global_parent = Family::new(&["Sb c"], &["Sx g", "Sa gp"]);
    check(&global_parent, &[("a=gp", true), ("x=g", true)]);
    let both = Family::new(&["Sb c", "Sa p"], &["Sa g"]);
    check(&both, &[("a=g", false), ("a=p", true)]);
}

#[test]
fn the_empty_string_hides_what_is_inherited() {
    let filters = [
        ("a=p", false),
        ("a=\"\"", true),
        ("a=*", false),
        ("a=?", false),
        ("NOT a=p", true),
        ("a>\"\"", false),
    ];
    check(&Family::new(&["Sa ", "Sa p"], &[]), &filters);
    check(&Family::new(&["Sa "], &["Sa p"]), &filters);
    check(&Family::new(&["Sa ", "La 1 p"], &[]), &filters);
}

#[test]
fn lists_are_gathered() {
    let three = Family::new(&["La 1 o", "La 1 p"], &["La 1 g"]);
    check(
        &three,
        &[
            ("a=g", true),
            ("a=p", true),
            ("a=o", true),
            ("a=x", false),
            ("a=\"\"", false),
        ],
    );
    let empty_own = Family::new(&["La 0", "La 1 p"], &[]);
    check(
        &empty_own,
        &[("a=p", true), ("a=\"\"", false), ("a=*", true)],
    );
    let none = Family::new(&["La 0", "La 0"], &[]);
    check(
        &none,
        &[("a=\"\"", true), ("a=*", false), ("a>\"\"", false)],
    );
    let empty_element = Family::new(&["La 1 o", "La 1 "], &[]);
    check(
        &empty_element,
        &[("a=\"\"", true), ("a=o", true), ("a=*", true)],
    );
}

#[test]
fn a_nearer_value_hides_lists() {
    let filters = [("a=p", false), ("a=o", true), ("a=\"\"", false)];
    check(&Family::new(&["Sa o", "La 1 p"], &[]), &filters);
    check(&Family::new(&["Sa o"], &["La 1 p"]), &filters);
}

/// Dovecot dies here (panic in both versions) unless the event's own list has
/// the element; we pass over what is no list.
#[test]
fn lists_pass_over_other_values() {
    let mixed = Family::new(&["La 1 o", "Sa mid", "La 1 top"], &[]);
    check(&mixed, &[("a=o", true), ("a=mid", false), ("a=top", true)]);
}

#[test]
fn elements_and_letter_case() {
    let family = Family::new(&["La 1 Abc"], &[]);
    let matches = |text: &str, dialect| {
        let filter = Filter::parse(text.as_bytes(), &ParseOptions::new(dialect)).unwrap();
        family.send(|event| filter.matches(event))
    };
    assert!(!matches("a=aBC", V2_3));
    assert!(matches("a=Abc", V2_3) && matches("a=aB*", V2_3));
    assert!(matches("a=aBC", V2_4) && matches("a=aB*", V2_4));
}

#[test]
fn categories_are_inherited() {
    let filters = [
        ("category=mail", true),
        ("category=storage", true),
        ("category=imap", false),
        ("category=unheard-of", false),
    ];
    check(&Family::new(&["cmail"], &[]), &filters);
    check(&Family::new(&["", "cmail"], &[]), &filters);
    check(&Family::new(&[""], &["", "cmail"]), &filters);
}

#[test]
fn names_places_and_durations_are_not_inherited() {
    let named = Family::new(&["nown", "npar"], &["nglob"]);
    check(
        &named,
        &[
            ("event=own", true),
            ("event=par", false),
            ("event=glob", false),
        ],
    );
    let placed = Family::new(&["so.c 2", "sp.c 1"], &[]);
    check(
        &placed,
        &[
            ("source_location=o.c", true),
            ("source_location=p.c", false),
        ],
    );
    let sent = Family::new(&["", "l5 0"], &[]);
    sent.send(|event| {
        let filter: Filter = "duration=0".parse().unwrap();
        assert!(filter.matches(event));
        let filter: Filter = "duration=4s".parse().unwrap();
        assert!(!filter.matches(event));
    });
}
