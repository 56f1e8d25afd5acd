//! What is said of texts that are no filters.

use fantail_syntax::{ParseError, ParseOptions, parse};

/// An error in one line: `code "the text there" message -> suggestion`.
fn render(text: &str, error: &ParseError) -> String {
    let place = &text[error.span()];
    let advice = error.suggestion().map(|it| format!(" -> {}", it.message()));
    format!(
        "{} {place:?} {error}{}",
        error.code(),
        advice.unwrap_or_default()
    )
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let errors = parse(text.as_bytes(), &ParseOptions::default()).expect_err(text);
    let rendered: Vec<_> = errors.iter().map(|error| render(text, error)).collect();
    assert_eq!(rendered, expected, "{text}");
}

/// The text after the first error's replacement is a filter.
#[track_caller]
fn check_repair(text: &str, repaired: &str) {
    let errors = parse(text.as_bytes(), &ParseOptions::default()).expect_err(text);
    let suggestion = errors.iter().next().unwrap().suggestion().expect(text);
    let (span, replacement) = suggestion.replacement().expect(text);
    let mut result = text.as_bytes().to_vec();
    result.splice(span, replacement.iter().copied());
    assert_eq!(String::from_utf8_lossy(&result), repaired);
    parse(&result, &ParseOptions::default()).expect(repaired);
}

#[test]
fn operators_of_other_languages() {
    check(
        "a==1",
        &[r#"F10 "==" no operator of this language: `==` -> write ="#],
    );
    check(
        "a!=1",
        &[r#"F10 "!=" no operator of this language: `!=` -> write NOT a=…"#],
    );
    check(
        "a <> 1",
        &[r#"F10 "<>" no operator of this language: `<>` -> write NOT a=…"#],
    );
    check(
        "a=>1",
        &[r#"F10 "=>" no operator of this language: `=>` -> write >="#],
    );
    check(
        "a=<1",
        &[r#"F10 "=<" no operator of this language: `=<` -> write <="#],
    );
    check(
        "a=1 && b=2 || !c=3",
        &[
            r#"F10 "&&" no operator of this language: `&&` -> write AND"#,
            r#"F10 "||" no operator of this language: `||` -> write OR"#,
            r#"F10 "!" no operator of this language: `!` -> write NOT"#,
        ],
    );
}

#[test]
fn words_of_other_languages() {
    let in_list = |text: &str, instead: &str| {
        let line = format!("F10 \"IN\" no operator of this language: `IN` -> write {instead}");
        check(text, &[&line]);
    };
    in_list(
        "user IN (bob, 'a b', \"c\",d)",
        "(user=bob OR user=\"a b\" OR user=\"c\" OR user=d)",
    );
    in_list("(x=1 AND user IN (bob)) OR c=1", "(user=bob)");
    in_list(
        "user IN ()",
        "(key=a OR key=b), a comparison for each value",
    );
    in_list(
        "user IN (1 2 3 4 5 6 7 8 9)",
        "(key=a OR key=b), a comparison for each value",
    );
    check(
        "a=1 AND user not in (bob, x@y) AND b==2",
        &[
            r#"F10 "not in" no operator of this language: `NOT IN` -> write NOT (user=bob OR user="x@y")"#,
            r#"F10 "==" no operator of this language: `==` -> write ="#,
        ],
    );
    check(
        "user IN (bob",
        &[
            r#"F10 "IN" no operator of this language: `IN` -> write (user=bob)"#,
            r#"F06 "(" this parenthesis is never closed -> write ) where it should end"#,
        ],
    );
    check(
        "subject LIKE spam AND n gt 5",
        &[
            r#"F10 "LIKE" no operator of this language: `LIKE` -> write =, and * in the value for any text"#,
            r#"F10 "gt" no operator of this language: `gt` -> write >"#,
        ],
    );
}

#[test]
fn bytes_that_need_quotes() {
    check(
        "user=cks@example.com",
        &[
            r#"F08 "cks@example.com" not allowed outside double quotes: `@` in `cks@example.com` -> write "cks@example.com""#,
        ],
    );
    check(
        "a=hello!",
        &[r#"F08 "hello!" not allowed outside double quotes: `!` in `hello!` -> write "hello!""#],
    );
    check(
        "a=x&y|z b",
        &[
            r#"F08 "x&y|z" not allowed outside double quotes: `&` in `x&y|z` -> write "x&y|z""#,
            r#"F04 "b" expected AND or OR after the comparison, found `b` -> write "x&y|z b" if it is one value, or AND or OR between two comparisons"#,
        ],
    );
    check(
        "a=ü",
        &[r#"F08 "ü" not allowed outside double quotes: `ü` -> write "ü""#],
    );
    check(
        "a='b c'",
        &[r#"F09 "'b c'" single quotes do not make a string -> write "b c""#],
    );
    check(
        "a=1 , b=2",
        &[r#"F08 "," not allowed outside double quotes: `,` -> put AND or OR between comparisons"#],
    );
    let comma = r#"F08 "1," not allowed outside double quotes: `,` in `1,` -> put AND or OR between comparisons"#;
    check("a=1, b=2", &[comma]);
    check(
        "a=1,2",
        &[r#"F08 "1,2" not allowed outside double quotes: `,` in `1,2` -> write "1,2""#],
    );
    check(
        "a=\u{b}",
        &[r#"F08 "\u{b}" not allowed outside double quotes: `\u{b}` -> write "\u{b}""#],
    );
}

#[test]
fn missing_parts() {
    check(
        "a=",
        &[
            r#"F03 "" expected a value after the operator, found the end -> write "" to ask for a missing or empty field"#,
        ],
    );
    check(
        "a= AND b=2",
        &[
            r#"F04 "b" expected AND or OR after the comparison, found `b` -> the AND before it was taken for a value; write "" for the empty one"#,
        ],
    );
    check(
        "weird key=1",
        &[
            r#"F02 "key" expected an operator after the key, found `key` -> write "weird key" if it is one key, or an operator between key and value"#,
        ],
    );
    check(
        "a",
        &[r#"F02 "" expected an operator after the key, found the end"#],
    );
    check(
        "a=(b)",
        &[
            r#"F03 "(" expected a value after the operator, found `(` -> write (key=a OR key=b), a comparison for each value"#,
        ],
    );
    check(
        "a=1 (b=2)",
        &[
            r#"F04 "(" expected AND or OR after the comparison, found `(` -> put AND or OR between comparisons"#,
        ],
    );
    check(
        "and=x",
        &[r#"F01 "and" expected a comparison such as event=name, found `and` -> write "and""#],
    );
    check(
        "a=1 AND",
        &[r#"F01 "" expected a comparison such as event=name, found the end"#],
    );
    check(
        "()",
        &[r#"F01 ")" expected a comparison such as event=name, found `)`"#],
    );
    check(
        "a=b c",
        &[
            r#"F04 "c" expected AND or OR after the comparison, found `c` -> write "b c" if it is one value, or AND or OR between two comparisons"#,
        ],
    );
}

#[test]
fn order_of_what_has_none() {
    check(
        "event>1 OR category<=x OR source_location>y",
        &[
            r#"F11 ">" event, category and source_location can only be compared with ="#,
            r#"F11 "<=" event, category and source_location can only be compared with ="#,
            r#"F11 ">" event, category and source_location can only be compared with ="#,
        ],
    );
}

#[test]
fn a_group_for_a_value() {
    check(
        "(a=(b OR 'c' AND (d)) AND e==1) OR f=g)",
        &[
            r#"F03 "(" expected a value after the operator, found `(` -> write (key=a OR key=b), a comparison for each value"#,
            r#"F10 "==" no operator of this language: `==` -> write ="#,
            r#"F05 ")" this parenthesis closes nothing -> remove it, or write ( where it should begin"#,
        ],
    );
}

#[test]
fn parentheses_and_quotes() {
    check(
        "(a=1",
        &[r#"F06 "(" this parenthesis is never closed -> write ) where it should end"#],
    );
    check(
        "a=1) AND b=2)",
        &[
            r#"F05 ")" this parenthesis closes nothing -> remove it, or write ( where it should begin"#,
            r#"F05 ")" this parenthesis closes nothing -> remove it, or write ( where it should begin"#,
        ],
    );
    let unclosed = r#"F07 "\"" this quote is never closed -> close it with another "; write \" for a quote in the text"#;
    check(r#"a="x"#, &[unclosed]);
    check(r#"(a=1 "b) AND c=2"#, &[unclosed]);
    check(r#"a="x\"#, &[unclosed]);
    check(
        "a=\"\0\"",
        &[r#"F12 "\"\0\"" a string cannot hold a NUL byte"#],
    );
}

#[test]
fn several_in_one_pass() {
    check(
        "(a=) AND b==2 OR (c=1 d) AND user=@ OR e",
        &[
            r#"F03 ")" expected a value after the operator, found `)` -> write "" to ask for a missing or empty field"#,
            r#"F10 "==" no operator of this language: `==` -> write ="#,
            r#"F04 "d" expected AND or OR after the comparison, found `d` -> write "1 d" if it is one value, or AND or OR between two comparisons"#,
            r#"F08 "@" not allowed outside double quotes: `@` -> write "@""#,
            r#"F02 "" expected an operator after the key, found the end"#,
        ],
    );
    check(
        "(a=1 b) c) AND d=1",
        &[
            r#"F04 "b" expected AND or OR after the comparison, found `b` -> write "1 b" if it is one value, or AND or OR between two comparisons"#,
            r#"F04 "c" expected AND or OR after the comparison, found `c` -> put AND or OR between comparisons, and a value with blanks in quotes"#,
        ],
    );
}

#[test]
fn repairs_are_filters() {
    check_repair("a==1", "a=1");
    check_repair("a=>1", "a>=1");
    check_repair("a=1 && b=2", "a=1 AND b=2");
    check_repair("!a=1", "NOT a=1");
    check_repair("a=", "a=\"\"");
    check_repair("a= AND b=2", "a= \"\" AND b=2");
    check_repair("(a=) OR b=1", "(a=\"\") OR b=1");
    check_repair("a=cks@example.com", "a=\"cks@example.com\"");
    check_repair("a=C:\\x", "a=\"C:\\\\x\"");
    check_repair("a='b c'", "a=\"b c\"");
    check_repair("a!=1", "NOT a=1");
    check_repair("\"a b\" <> 1", "NOT \"a b\"= 1");
    check_repair("a=1 AND b IN (x, y) OR c=1", "a=1 AND (b=x OR b=y) OR c=1");
    check_repair("a NOT IN ('x y')", "NOT (a=\"x y\")");
    check_repair("a is x", "a = x");
    check_repair("mailbox=Sent Items", "mailbox=\"Sent Items\"");
    check_repair("weird key=1", "\"weird key\"=1");
    check_repair("(a=1", "(a=1)");
    check_repair("a=1)", "a=1");
    check_repair("or=x", "\"or\"=x");
}

#[test]
fn errors_together_are_one_line() {
    let errors = parse(b"a==1 b", &ParseOptions::default()).expect_err("two errors");
    assert_eq!(
        errors.to_string(),
        "no operator of this language: `==` at byte 1; \
         expected AND or OR after the comparison, found `b` at byte 5"
    );
}
