//! Phrases that hide the subject of a sentence, in comments and documents.
//!
//! Code, inline code and quotations are not checked: a message of Dovecot or the
//! user `nobody` may contain such a phrase.

use super::Finding;
use crate::workspace::TextFile;

/// The phrases, in lower case.
const PHRASES: [&str; 13] = [
    "a place",
    "by itself",
    "each of both",
    "goes by",
    "nobody",
    "of which",
    "so many",
    "somebody",
    "tells of",
    "the one that",
    "what stands",
    "whatever",
    "whoever",
];

pub(super) fn check(files: &[TextFile]) -> Vec<Finding> {
    files.iter().flat_map(check_file).collect()
}

fn check_file(file: &TextFile) -> Vec<Finding> {
    let prose = if file.path.ends_with(".md") {
        Prose::of_document(&file.text)
    } else if file.path.ends_with(".rs") {
        Prose::of_comments(&file.text)
    } else {
        return Vec::new();
    };
    let phrases = PHRASES.iter().flat_map(|phrase| {
        let found = prose.find(phrase).into_iter();
        found.map(move |line| {
            let message = format!("say it without \"{phrase}\": name the subject");
            Finding::error(&file.path, line, message)
        })
    });
    phrases.collect()
}

/// The sentences of a file in lower case, and the offset of each of its lines.
#[derive(Default)]
struct Prose {
    text: String,
    starts: Vec<(usize, usize)>,
    in_code: bool,
}

impl Prose {
    fn of_document(text: &str) -> Self {
        let mut prose = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            match line.starts_with('>') {
                true => prose.end_paragraph(),
                false => prose.add(number, line),
            }
        }
        prose
    }

    fn of_comments(text: &str) -> Self {
        let mut prose = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            match line.trim_start().strip_prefix("//") {
                Some(comment) => prose.add(number, comment.trim_start_matches(['/', '!'])),
                None => {
                    prose.end_paragraph();
                    prose.in_code = false;
                }
            }
        }
        prose
    }

    /// Adds a line without its inline code and quotations.
    fn add(&mut self, number: usize, line: &str) {
        if line.trim_start().starts_with("```") {
            self.in_code = !self.in_code;
            return self.end_paragraph();
        }
        if self.in_code || line.trim().is_empty() {
            return self.end_paragraph();
        }
        self.starts.push((self.text.len(), number));
        for (part, words) in line.split(['`', '"']).enumerate() {
            if part % 2 == 1 {
                self.text.push_str(" …");
                continue;
            }
            for word in words.split_whitespace() {
                self.text.push(' ');
                self.text.push_str(&word.to_lowercase());
            }
        }
    }

    fn end_paragraph(&mut self) {
        self.text.push('\n');
    }

    /// Returns the lines in which a phrase begins.
    fn find(&self, phrase: &str) -> Vec<usize> {
        let is_letter = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        let all = self.text.match_indices(phrase);
        let whole = all.filter(|(at, _)| {
            let (before, after) = (&self.text[..*at], &self.text[at + phrase.len()..]);
            !is_letter(before.chars().next_back()) && !is_letter(after.chars().next())
        });
        whole.map(|(at, _)| self.line(at)).collect()
    }

    fn line(&self, at: usize) -> usize {
        let next = self.starts.partition_point(|(start, _)| *start <= at);
        next.checked_sub(1)
            .and_then(|index| self.starts.get(index))
            .map_or(0, |(_, number)| *number)
    }
}

#[cfg(test)]
mod tests {
    use super::check as check_files;
    use crate::workspace::TextFile;

    fn check(path: &str, text: &str, expected: &[usize]) {
        let found = check_files(&[TextFile::new(path, text)]);
        let lines: Vec<usize> = found.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, expected, "{text}");
    }

    #[test]
    fn phrases_are_found_in_comments_and_documents() {
        check(
            "a.rs",
            "/// Good.\n    // Whoever reads it.\nfn a() {}\n",
            &[2],
        );
        check("a.rs", "//! The files, of\n//! which one is read.\n", &[1]);
        check("a.md", "One line.\n\nA text, whatever\nit is.\n", &[3]);
        check("a.md", "so many of\nso many\n", &[1, 2]);
    }

    #[test]
    fn code_and_quotations_are_not_prose() {
        check("a.rs", "let user = \"nobody\";\n", &[]);
        check("a.rs", "/// The user `nobody`, not \"nobody\".\n", &[]);
        check("a.rs", "/// ```\n/// let whatever = 1;\n/// ```\n", &[]);
        check("a.md", "```text\nwhatever\n```\n> whatever\n", &[]);
        check("a.toml", "# whatever\n", &[]);
        check("a.md", "It is about a placeholder.\n\nof\n\nwhich\n", &[]);
    }
}
