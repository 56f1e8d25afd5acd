//! `fantail explain`: what a code of an error or warning means.

use std::path::Path;

use clap::Args;
use fantail::config::internal::similar;

use crate::{
    exit::{Failure, Findings},
    io::output::Output,
};

/// The page of each code.
const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/error_pages.rs"));

/// How many codes are suggested for one that does not exist.
const MAX_SUGGESTIONS: usize = 3;

/// Tell what the code of an error or warning means, and what to do.
///
/// Codes stand in brackets or parentheses behind a message: W03,
/// lint/unknown-event, config/missing-filter. Without one: all codes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fantail explain W03
  fantail explain lint/unknown-event
  fantail explain unknown-event

Exit status: 0 the code was explained; 1 there is no such code; 2 wrong usage.")]
pub(crate) struct Arguments {
    /// The code.
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

/// All codes that have a page.
pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|(code, _)| *code)
}

/// The page of a code, which may be written without what is before the slash.
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

/// The first line of a page, without its mark.
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
