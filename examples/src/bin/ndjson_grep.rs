//! Prints the lines of JSON that match a filter, as `grep` does.
//!
//! `ndjson_grep 'status>=500 AND NOT path="/health"' < requests.ndjson`

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people"
)]

use std::{
    env,
    error::Error,
    io::{self, BufRead as _, Write as _},
    process::ExitCode,
};

use fantail::filter::{Filter, JsonEvent};
use serde_json::Value;

fn main() -> ExitCode {
    match grep() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ndjson_grep: {error}");
            ExitCode::from(2)
        }
    }
}

/// Returns whether a line matches.
fn grep() -> Result<bool, Box<dyn Error>> {
    let text = env::args().nth(1).ok_or("usage: ndjson_grep FILTER")?;
    let filter: Filter = text.parse()?;
    for warning in filter.warnings() {
        eprintln!("ndjson_grep: {warning}");
    }
    let mut out = io::stdout().lock();
    let mut any = false;
    for line in io::stdin().lock().lines() {
        let line = line?;
        // Lines without an object, as a program prints at its start, match nothing.
        let json: Value = serde_json::from_str(&line).unwrap_or_default();
        let object = json.as_object();
        if object.is_some_and(|object| filter.matches(&JsonEvent::new(object))) {
            any = true;
            writeln!(out, "{line}")?;
        }
    }
    Ok(any)
}
