//! Extension settings in files that Dovecot reads.

use fantail_config::{
    FileId, Loaded, Severity, Span,
    internal::{ExtensionMention, extension_mentions, has_dovecots_name},
};

use super::{Reader, shown, sockets};
use crate::{Finding, LintCode};

/// The maximum number of names of one block in a message.
const MOST_NAMES: usize = 5;

/// Reports extension settings that Dovecot would refuse: a finding for each
/// block, which is an error if it is certain that Dovecot reads the file.
///
/// The reader of a file also reads the files that it includes. A file named
/// `dovecot.conf`, and the files that a standard one includes
/// (`dovecot/conf.d/*.conf`, `dovecot/local.conf`), are Dovecot's, for any file
/// that includes them.
#[must_use]
pub fn check_reader(loaded: &Loaded, reader: Reader) -> Vec<Finding> {
    let mentions = extension_mentions(&loaded.raw, loaded.settings.dialect);
    let mut mentions = mentions
        .iter()
        .filter_map(|mention| Some((mention, known_by(loaded, reader, mention.span.file)?)))
        .peekable();
    let mut findings = Vec::new();
    while let Some((first, basis)) = mentions.next() {
        let mut others = Vec::new();
        while let Some((other, _)) = mentions.next_if(|(other, _)| is_beside(first, other)) {
            others.push(other.written.as_slice());
        }
        findings.push(finding(first, others, basis));
    }
    sockets::check(loaded, reader, &mut findings);
    findings
}

/// Returns whether both are in one block of one file.
fn is_beside(one: &ExtensionMention, other: &ExtensionMention) -> bool {
    one.block.is_some() && one.block == other.block && one.span.file == other.span.file
}

/// The reason to assume that Dovecot reads a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Basis {
    Told,
    /// The name of the file, or of a file that includes it.
    Name,
}

/// Returns the reason; `None` if only fantail reads the file.
fn known_by(loaded: &Loaded, reader: Reader, file: FileId) -> Option<Basis> {
    let mut by_name = false;
    // From the file to the first one; each was included by an earlier one.
    let mut file = file;
    while let Some(place) = loaded.sources.included(file) {
        by_name |= has_dovecots_name(loaded.sources.name(file));
        if place.file == file {
            break;
        }
        file = place.file;
    }
    match reader {
        Reader::Dovecot => return Some(Basis::Told),
        Reader::ByName => by_name |= has_dovecots_name(loaded.sources.name(file)),
        Reader::Fantail => {}
    }
    by_name.then_some(Basis::Name)
}

fn finding(first: &ExtensionMention, mut others: Vec<&[u8]>, basis: Basis) -> Finding {
    let written = shown(&first.written);
    let message =
        format!("Dovecot does not know `{written}`: it refuses the file, and cannot start");
    let place: Span = first.span;
    let mut finding = Finding::new(LintCode::UnknownToDovecot, message, place);
    others.dedup();
    if !others.is_empty() {
        let told = others.iter().take(MOST_NAMES);
        let told: Vec<String> = told.map(|name| format!("`{}`", shown(name))).collect();
        let more = others.len() - told.len();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        finding = finding.note(format!(
            "nor does it know {}{more} in this block",
            told.join(", ")
        ));
    }
    if basis == Basis::Told {
        finding = finding.severity(Severity::Error);
    } else {
        finding = finding.note(
            "it is taken for Dovecot's by its name, or that of a file that includes it; if only \
             fantail reads it, say `--for fantail`",
        );
    }
    finding.help(
        "keep it in a file that only fantail reads, such as `fantail.conf`, and let that \
         `!include` this one",
    )
}
