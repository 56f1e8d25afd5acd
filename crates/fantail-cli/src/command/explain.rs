//! `fantail explain`: explains the code of an error or warning.

use std::path::Path;

use clap::Args;
use fantail::config::internal::similar;

use crate::{
    exit::{Failure, Findings},
    io::output::Output,
};

/// The page of each code.
const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/error_pages.rs"));

/// The maximum number of codes that are suggested for an unknown one.
const MAX_SUGGESTIONS: usize = 3;

/// Explain the code of an error or warning, and how to fix it.
///
/// Messages have their code in brackets or parentheses: W03, lint/unknown-event,
/// config/missing-filter. Without a code, the command lists all codes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail explain W03
  fantail explain lint/unknown-event
  fantail explain unknown-event

Exit status: 0 success; 1 the code is unknown; 2 wrong usage.")]
pub(crate) struct Arguments {
    /// Code to explain.
    code: Option<String>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<Findings, Failure> {
    let output = Output::open(Path::new("-"))?;
    let Some(code) = &arguments.code else {
        let titles = PAGES.iter().map(|(_, page)| title(page));
        output.write_whole(titles.collect::<String>().as_bytes())?;
        return Ok(Findings::None);
    };
    match find(code) {
        Some(page) => output.write_whole(page.as_bytes())?,
        None => return Err(unknown(code)),
    }
    Ok(Findings::None)
}

/// Returns all codes that have a page.
pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|(code, _)| *code)
}

/// Returns the page of a code; the part before the slash is optional.
fn find(code: &str) -> Option<&'static str> {
    let code = code.trim_matches(['[', ']', '(', ')']);
    let is_it = |known: &str| {
        known.eq_ignore_ascii_case(code)
            || known
                .split_once('/')
                .is_some_and(|(_, short)| short == code)
    };
    let found = PAGES.iter().find(|(known, _)| is_it(known));
    found.map(|(_, page)| *page)
}

/// Returns the first line of a page, without the heading marker.
fn title(page: &str) -> String {
    let line = page.lines().next().unwrap_or_default();
    format!("{}\n", line.trim_start_matches("# "))
}

fn unknown(code: &str) -> Failure {
    let names = PAGES.iter().flat_map(|(known, _)| {
        let short = known.split_once('/').map(|(_, short)| short);
        [Some(*known), short].into_iter().flatten()
    });
    let near = similar(code.as_bytes(), names, MAX_SUGGESTIONS);
    let help = match near.as_slice() {
        [] => "`fantail explain` lists all codes".to_owned(),
        near => format!("did you mean {}?", near.join(" or ")),
    };
    Failure::new(format!("there is no code {code}; {help}"))
}

#[cfg(test)]
mod tests {
    use fantail::{config, lint};

    use super::*;

    #[test]
    fn every_code_has_a_page_in_the_program() {
        let config = config::Code::ALL.iter().map(|code| code.as_str());
        let lint = lint::LintCode::ALL.iter().map(|code| code.as_str());
        let doctor = lint::DoctorCode::ALL.iter().map(|code| code.as_str());
        for code in config.chain(lint).chain(doctor).chain(["F01", "W01"]) {
            let page = find(code).unwrap_or_else(|| panic!("{code}"));
            assert!(page.starts_with(&format!("# {code}: ")), "{code}");
        }
    }

    #[test]
    fn codes_are_found_as_they_are_shown() {
        for written in [
            "lint/unknown-event",
            "unknown-event",
            "[lint/unknown-event]",
        ] {
            let page = find(written).unwrap_or_default();
            assert!(page.starts_with("# lint/unknown-event: "), "{written}");
        }
        assert_eq!(find("w03"), find("(W03)"));
        assert_eq!(find("W99"), None);
    }
}
