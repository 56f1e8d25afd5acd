//! `fantail filter eval` over the vectors: what libdovecot answered.

use super::program::{contents, fantail, test_data};

#[track_caller]
fn check(dialect: &str, expected: &str) {
    let cases = contents(test_data("filter/cases.tsv"));
    let expected = contents(test_data(expected));
    let got = fantail(&["filter", "eval", "--dialect", dialect], &cases).succeeded();
    let lines = |text: &[u8]| -> Vec<Vec<u8>> {
        text.strip_suffix(b"\n")
            .unwrap()
            .split(|&b| b == b'\n')
            .map(<[u8]>::to_vec)
            .collect()
    };
    let (cases, expected, got) = (lines(&cases), lines(&expected), lines(&got));
    assert_eq!((expected.len(), got.len()), (cases.len(), cases.len()));
    for ((case, expected), got) in cases.iter().zip(&expected).zip(&got) {
        let agrees = match expected.split(|&b| b == b'\t').next() {
            // The real one died: any answer is better.
            Some(b"CRASH") => got.starts_with(b"OK\t") || got.starts_with(b"ERR\t"),
            Some(b"ERR") => got.starts_with(b"ERR\t"),
            _ => got == expected,
        };
        assert!(
            agrees,
            "{}\nexpected {}\n     got {}",
            case.escape_ascii(),
            expected.escape_ascii(),
            got.escape_ascii()
        );
    }
}

#[test]
fn dialect_2_3() {
    check("2.3", "filter/expect-2.3.19.tsv");
}

#[test]
fn dialect_2_4() {
    check("2.4", "filter/expect-2.4.1.tsv");
}
