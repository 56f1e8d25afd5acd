//! The work of a check grows with the number of metrics, not with its square. A
//! program of its own, for an allocator that counts.

use fantail_config::{Loaded, load_text};
use fantail_lint::{Catalogue, check, check_reader};
use fantail_testkit::allocator::{CountingAllocator, allocated_bytes};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn load(metrics: usize, filter: &dyn Fn(usize) -> String) -> Loaded {
    let block = |number| format!("metric m{number} {{\n  filter = {}\n}}\n", filter(number));
    let blocks: String = (0..metrics).map(block).collect();
    let text = format!("dovecot_config_version = 2.4.1\n{blocks}");
    load_text("dovecot.conf", text, &Default::default())
}

/// The bytes that loading and checking allocate, and the findings.
fn work(metrics: usize, filter: &dyn Fn(usize) -> String) -> (usize, usize) {
    let catalogue = Catalogue::new();
    let before = allocated_bytes();
    let loaded = load(metrics, filter);
    let findings = check(&loaded, &catalogue, &|_| false);
    let found = findings.len() + check_reader(&loaded, Default::default()).len();
    (allocated_bytes() - before, found)
}

/// Twice the metrics take at most 2.2 times the bytes; vectors that double make up
/// the rest.
#[track_caller]
fn check_linear(findings: usize, filter: &dyn Fn(usize) -> String) {
    let (half, _) = work(2_000, filter);
    let (whole, found) = work(4_000, filter);
    assert_eq!(found, 4_000 * findings);
    assert!(whole * 10 <= half * 22, "{half} bytes, then {whole}");
}

#[test]
fn metrics_without_findings() {
    check_linear(0, &|n| format!("event=imap_command_finished AND user=u{n}"));
}

#[test]
fn metrics_with_a_finding_each() {
    check_linear(1, &|n| {
        format!("event=imap_command_finished OR user=u{n} AND duration>5")
    });
    check_linear(1, &|n| {
        format!("event=auth_request_finished AND success=no{n}")
    });
    check_linear(1, &|n| format!("event=imap_command_finished AND zzz{n}=1"));
}

/// Suggestions are looked for a limited number of times.
#[test]
fn unknown_names() {
    let unknown = |n: usize| format!("event=imap_command_finish_{n}");
    let loaded = load(2_000, &unknown);
    let findings = check(&loaded, &Catalogue::new(), &|_| false);
    let with_suggestion = findings.iter().filter(|finding| {
        let mut notes = finding.notes.iter();
        notes.any(|note| note.text.starts_with("did you mean"))
    });
    assert_eq!(with_suggestion.count(), 1_000);
    assert_eq!(findings.len(), 2_000);
}
