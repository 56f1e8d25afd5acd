//! The recording as events that stand alone: each with all that it inherits
//! in its own line, as a busy server's mix is described.

use std::{collections::HashMap, path::Path};

use super::stream::{HANDSHAKE, Stream, recording, rows};
use crate::error::Error;

/// Returns `wanted` named events of the recording of Dovecot 2.3.
pub(crate) fn mixed(root: &Path, wanted: u64) -> Result<Stream, Error> {
    let text = recording(root)?;
    let mut bytes = HANDSHAKE.as_bytes().to_vec();
    let mut lines = Vec::new();
    let mut living: HashMap<(&str, &str), Living<'_>> = HashMap::new();
    for row in rows(&text) {
        let (connection, line) = row?;
        if line.starts_with("CATEGORY\t") {
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
        }
        lines.extend(take(connection, line, &mut living));
    }
    if lines.is_empty() {
        return Err(Error::new("the recording has no events"));
    }
    let mut events = 0;
    for line in lines.iter().cycle() {
        if events == wanted {
            break;
        }
        bytes.extend_from_slice(line.as_bytes());
        events += 1;
    }
    Ok(Stream { bytes, events })
}

/// An event that others inherit from.
#[derive(Debug)]
struct Living<'t> {
    parent: &'t str,
    parts: Parts<'t>,
}

/// Does what a line says; of a named event that is sent, the whole line.
fn take<'t>(
    connection: &'t str,
    line: &'t str,
    living: &mut HashMap<(&'t str, &'t str), Living<'t>>,
) -> Option<String> {
    let arguments: Vec<&str> = line.split('\t').collect();
    match *arguments.as_slice() {
        ["BEGIN", id, parent, _, ref event @ ..] => {
            let parts = Parts::read(event);
            living.insert((connection, id), Living { parent, parts });
        }
        ["UPDATE", id, _, ref event @ ..] => {
            if let Some(known) = living.get_mut(&(connection, id)) {
                known.parts.update(Parts::read(event));
            }
        }
        // What has ended may still be inherited from, and ids come only once.
        ["EVENT", global, parent, level, ref event @ ..] => {
            let mut parts = Parts::read(event);
            for first in [parent, global] {
                let mut next = first;
                while let Some(ancestor) = living.get(&(connection, next)) {
                    parts.inherit(&ancestor.parts);
                    next = ancestor.parent;
                }
            }
            if parts.is_named() {
                return Some(format!("EVENT\t0\t0\t{level}\t{}\n", parts.text()));
            }
        }
        _ => {}
    }
    None
}

/// What an event's text is made of.
#[derive(Debug, Default)]
struct Parts<'t> {
    /// Times, name and place.
    own: Vec<&'t str>,
    categories: Vec<&'t str>,
    /// Key with its type in front, and what follows it.
    fields: Vec<(&'t str, Vec<&'t str>)>,
}

impl<'t> Parts<'t> {
    fn read(arguments: &[&'t str]) -> Self {
        let mut parts = Self::default();
        let mut rest = arguments.iter().copied();
        parts.own.extend(rest.by_ref().take(2));
        while let Some(argument) = rest.next() {
            let mut values = |count| rest.by_ref().take(count).collect::<Vec<_>>();
            match argument.chars().next() {
                Some('c') => parts.categories.push(argument),
                Some('I' | 'S') => parts.fields.push((argument, values(1))),
                Some('T') => parts.fields.push((argument, values(2))),
                // A line number, or microseconds.
                Some('s' | 'l') => {
                    parts.own.push(argument);
                    parts.own.extend(values(1));
                }
                _ => parts.own.push(argument),
            }
        }
        parts
    }

    fn has(&self, field: &str) -> bool {
        let key = |field: &str| field.get(1..).map(str::to_owned);
        self.fields
            .iter()
            .any(|(known, _)| key(known) == key(field))
    }

    fn update(&mut self, new: Self) {
        self.fields.retain(|(field, _)| !new.has(field));
        self.fields.extend(new.fields);
        let known = std::mem::take(&mut self.categories);
        self.categories = new.categories;
        self.categories.extend(known);
    }

    fn inherit(&mut self, ancestor: &Self) {
        for category in &ancestor.categories {
            if !self.categories.contains(category) {
                self.categories.push(category);
            }
        }
        for (field, values) in &ancestor.fields {
            if !self.has(field) {
                self.fields.push((field, values.clone()));
            }
        }
    }

    fn is_named(&self) -> bool {
        self.own.iter().any(|argument| argument.starts_with('n'))
    }

    fn text(&self) -> String {
        let fields = self.fields.iter();
        let fields = fields.flat_map(|(field, values)| std::iter::once(field).chain(values));
        let all = self.own.iter().chain(&self.categories).chain(fields);
        all.copied().collect::<Vec<_>>().join("\t")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inherited_stands_in_the_line() {
        let mut living = HashMap::new();
        let lines = [
            "BEGIN\t1\t0\t0\t10\t0\tcmail\tSuser\tann\tSa\t1",
            "UPDATE\t1\t0\t10\t0\tSa\t2",
            "BEGIN\t2\t1\t0\t11\t0\tcimap\tIn\t3",
            "EVENT\t0\t2\t1\t12\t0\tl12\t5\tnx\tsa.c\t7\tIn\t4",
            "EVENT\t0\t2\t1\t12\t0\tIn\t4",
        ];
        let events: Vec<String> = lines
            .iter()
            .filter_map(|line| take("1", line, &mut living))
            .collect();
        let expected =
            "EVENT\t0\t0\t1\t12\t0\tl12\t5\tnx\tsa.c\t7\tcimap\tcmail\tIn\t4\tSuser\tann\tSa\t2\n";
        assert_eq!(events, [expected]);
    }
}
