//! Unnamed events: whether a filter looks at them at all. The answers of
//! [`Filter::matches`] are libdovecot's for a set of this one filter.

use fantail_filter::Filter;

use crate::events::Family;

/// Whether it requires a name; whether it matches the unnamed event with
/// `x=y` as a set of one; whether it is true for it as it stands.
#[track_caller]
fn check(text: &str, requires_name: bool, matches: bool, evaluates: bool) {
    let filter: Filter = text.parse().unwrap();
    assert_eq!(filter.requires_name(), requires_name, "{text}");
    Family::new(&["Sx y", "npar"], &["nglob"]).send(|event| {
        assert_eq!(filter.matches(event), matches, "{text}");
        assert_eq!(filter.evaluate(event), evaluates, "{text}");
    });
}

#[test]
fn required_names() {
    check("event=a", true, false, false);
    check("event=*", true, false, false);
    check("event=\"\"", true, false, false);
    check("NOT event=a", true, false, true);
    check("NOT event=par", true, false, true);
    check("NOT NOT event=a", true, false, false);
    check("NOT event=a AND x=y", true, false, true);
    check("x=y AND NOT event=a", true, false, true);
    check("NOT (event=a AND x=z)", true, false, true);
    check("NOT event=a OR NOT event=b", true, false, true);
    check("", true, false, false);
}

#[test]
fn names_not_required() {
    check("x=y", false, true, true);
    check("event=par OR x=y", false, true, true);
    check("NOT event=a OR x=y", false, true, true);
    check("x=z OR NOT event=par", false, true, true);
    check("event=* OR x=y", false, true, true);
    check("NOT (event=a OR x=z)", false, true, true);
    check("NOT (event=a OR x=z) OR event=q", false, true, true);
    check("event=a OR x=z", false, false, false);
}
