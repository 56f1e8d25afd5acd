//! The compiled form: jumps, comparisons as data, depth.

use std::thread;

use fantail_event::{EventView, ValueRef};
use fantail_filter::{Filter, Jump, NumberTest, Step, Test};
use fantail_syntax::{Limits, Operator, ParseOptions};

/// An event of another kind than Dovecot's.
struct Request {
    path: &'static str,
    status: i64,
}

impl EventView for Request {
    fn name(&self) -> Option<&[u8]> {
        Some(b"request")
    }

    fn field(&self, key: &[u8]) -> Option<ValueRef<'_>> {
        match key {
            b"path" => Some(ValueRef::Str(self.path.as_bytes())),
            b"status" => Some(ValueRef::Int(self.status)),
            b"duration" => Some(ValueRef::Int(7)),
            _ => None,
        }
    }
}

#[test]
fn events_of_other_kinds() {
    let request = Request {
        path: "/Index.html",
        status: 404,
    };
    let matches = |text: &str| text.parse::<Filter>().unwrap().matches(&request);
    assert!(matches("event=request AND path=/index.* AND status>=400"));
    assert!(matches("status=4* AND category=\"\" OR user=\"\""));
    assert!(matches("duration=7"));
    assert!(!matches(
        "category=debug OR source_location=x OR event=Request"
    ));
}

#[test]
fn jumps() {
    let filter: Filter = "a=1 AND (NOT b=2 OR c=3)".parse().unwrap();
    let step = |holds, fails| Step { holds, fails };
    assert_eq!(filter.program().start(), Jump::Step(0));
    assert_eq!(
        filter.program().steps(),
        [
            step(Jump::Step(1), Jump::Reject),
            step(Jump::Step(2), Jump::Accept),
            step(Jump::Accept, Jump::Reject),
        ]
    );
    let empty: Filter = "".parse().unwrap();
    assert_eq!(empty.program().start(), Jump::Reject);
    assert!(empty.is_empty() && !filter.is_empty());
}

/// AND and OR do not evaluate what cannot change the result.
#[test]
fn short_circuits() {
    #[track_caller]
    fn check(text: &str, results: &[bool], expected: bool, asked: &[usize]) {
        let filter: Filter = text.parse().unwrap();
        let mut seen = Vec::new();
        let result = filter.program().run(|index| {
            seen.push(index);
            results[index]
        });
        assert_eq!((result, seen.as_slice()), (expected, asked), "{text}");
    }
    let text = "a=1 OR b=2 AND NOT c=3";
    check(text, &[true, true, true], false, &[0, 2]);
    check(text, &[false, true, false], true, &[0, 1, 2]);
    check(text, &[false, false, false], false, &[0, 1]);
}

#[test]
fn comparisons_are_data() {
    let filter: Filter = "User=A*b AND size>1k AND event=x".parse().unwrap();
    let tests: Vec<_> = filter
        .comparisons()
        .iter()
        .map(fantail_filter::CompiledComparison::test)
        .collect();
    let [Test::Field(user), Test::Field(size), Test::Name(name)] = tests[..] else {
        panic!("{tests:?}");
    };
    assert_eq!(&*user.key, b"User");
    assert!(user.text.literal().is_none() && user.number == NumberTest::Never);
    assert_eq!(size.operator, Operator::Greater);
    assert_eq!(size.number, NumberTest::Compare(1024));
    assert_eq!(name.literal(), Some(&b"x"[..]));
    assert_eq!(filter.comparisons()[1].span(), 13..20);
}

#[test]
fn texts() {
    let filter: Filter = "a=x AND b=2".parse().unwrap();
    assert_eq!(filter.to_string(), r#"(("a"="x" AND "b"="2"))"#);
    assert_eq!(
        format!("{filter:?}"),
        r#"Filter("((\"a\"=\"x\" AND \"b\"=\"2\"))")"#
    );
    let bytes = Filter::parse(b"a=\"\xff\"", &ParseOptions::default()).unwrap();
    assert_eq!(bytes.canonical(), b"(\"a\"=\"\xff\")");
    assert_eq!(bytes.to_string(), "(\"a\"=\"\u{fffd}\")");
    let clone = filter.clone();
    assert!(clone == filter && clone != bytes);
    let elsewhere = thread::spawn(move || clone.requires_name());
    assert!(!elsewhere.join().unwrap());
}

#[test]
fn depth_needs_no_stack() {
    let count = 1_000_000;
    let texts = [
        "NOT ".repeat(count + 1) + "path=*",
        "(".repeat(count) + "NOT status=1" + &")".repeat(count),
        String::from("path=*") + &" AND NOT status=1 OR path=*".repeat(count / 10),
    ];
    let check = move || {
        let options = ParseOptions {
            limits: Limits::NONE,
            ..ParseOptions::default()
        };
        let request = Request {
            path: "/",
            status: 200,
        };
        let matches = texts.map(|text| {
            let filter = Filter::parse(text.as_bytes(), &options).unwrap();
            let explanation = filter.explain(&request);
            assert_eq!(explanation.matches(), filter.matches(&request));
            assert_eq!(explanation.rows().count(), filter.tree().nodes().len());
            assert!(explanation.to_string().len() < 200 * filter.tree().nodes().len());
            assert_eq!(
                filter.warnings().len(),
                usize::from(filter.tree().nodes().len() > 2)
            );
            assert_eq!(filter.exact(), filter.canonical());
            filter.matches(&request)
        });
        assert_eq!(matches, [false, true, true]);
    };
    let thread = thread::Builder::new().stack_size(256 * 1024).spawn(check);
    thread.unwrap().join().unwrap();
}
