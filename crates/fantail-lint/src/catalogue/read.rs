//! Parsing the text of the catalogue.
//!
//! The parser omits invalid lines, and the test below fails on them: the text
//! is part of the program, not input.

use fantail_config::Release;

use super::{Catalogue, CatalogueEvent, Category, Field, FieldType};

/// The catalogue as text.
pub(super) const TEXT: &str = include_str!("../../catalogue/events.tsv");

/// The item that following fields belong to.
enum Open {
    Group,
    CatalogueEvent,
}

/// Parses the text of a catalogue.
pub(super) fn read(text: &'static str) -> Catalogue {
    let mut catalogue = Catalogue {
        events: Vec::new(),
        stray: Vec::new(),
        categories: Vec::new(),
        reasons: Vec::new(),
    };
    let mut groups: Vec<(&str, Vec<Field>)> = Vec::new();
    let mut open = Open::Group;
    for line in text.lines() {
        let mut columns = line.split('\t');
        match (columns.next().unwrap_or_default(), columns.next()) {
            ("", Some(name)) => {
                let fields = match open {
                    Open::Group => groups.last_mut().map(|(_, fields)| fields),
                    Open::CatalogueEvent => {
                        catalogue.events.last_mut().map(|event| &mut event.fields)
                    }
                };
                if let (Some(fields), Some(field)) = (fields, field(name, columns)) {
                    fields.push(field);
                }
            }
            ("group", Some(name)) => {
                groups.push((name, Vec::new()));
                open = Open::Group;
            }
            ("event", Some(name)) => {
                catalogue.events.push(event(name, columns, &groups));
                open = Open::CatalogueEvent;
            }
            ("stray", Some(name)) => catalogue.stray.extend(field(name, columns)),
            ("category", Some(name)) => catalogue.categories.push(Category {
                name,
                parent: columns.next(),
            }),
            ("reason", Some(name)) => catalogue.reasons.push(name),
            _ => {}
        }
    }
    catalogue.events.sort_by_key(|event| event.name);
    catalogue
}

fn event(
    name: &'static str,
    columns: impl Iterator<Item = &'static str>,
    groups: &[(&str, Vec<Field>)],
) -> CatalogueEvent {
    let mut event = CatalogueEvent {
        name,
        description: "",
        category: None,
        since: None,
        until: None,
        fields: Vec::new(),
        slow: false,
        bare: false,
    };
    for column in columns {
        match column.split_once('=') {
            _ if column.starts_with("# ") => event.description = column.trim_start_matches("# "),
            Some(("in", category)) => event.category = Some(category),
            Some(("since", version)) => event.since = Release::parse(version),
            Some(("until", version)) => event.until = Release::parse(version),
            Some(("with", names)) => {
                for name in names.split(',') {
                    let group = groups.iter().find(|(group, _)| *group == name);
                    let fields = group.into_iter().flat_map(|(_, fields)| fields);
                    event.fields.extend(fields.cloned());
                }
            }
            None if column == "slow" => event.slow = true,
            None if column == "bare" => event.bare = true,
            _ => {}
        }
    }
    event
}

fn field(name: &'static str, mut columns: impl Iterator<Item = &'static str>) -> Option<Field> {
    let kind = kind(columns.next()?)?;
    let mut field = Field {
        name,
        kind,
        kind_2_3: kind,
        unit: None,
        since: None,
        until: None,
        name_2_3: None,
        sent_as: None,
        values: Vec::new(),
        seen: Vec::new(),
    };
    for column in columns {
        let (what, value) = column.split_once('=')?;
        match what {
            "2.3" => field.kind_2_3 = self::kind(value)?,
            "unit" => field.unit = Some(value),
            "since" => field.since = Release::parse(value),
            "until" => field.until = Release::parse(value),
            "was" => field.name_2_3 = Some(value),
            "sent-as" => field.sent_as = Some(value),
            "values" => field.values = value.split(',').collect(),
            "seen" => field.seen = value.split(',').collect(),
            _ => return None,
        }
    }
    Some(field)
}

fn kind(name: &str) -> Option<FieldType> {
    Some(match name {
        "int" => FieldType::Integer,
        "string" => FieldType::Text,
        "ip" => FieldType::Address,
        "timestamp" => FieldType::Timestamp,
        "list" => FieldType::List,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line is parsed and has an effect.
    #[test]
    fn every_line_counts() {
        let catalogue = read(TEXT);
        let lines = TEXT.lines().filter(|line| !line.is_empty());
        let count = |start: &str| lines.clone().filter(|line| line.starts_with(start)).count();
        assert_eq!(catalogue.events.len(), count("event\t"));
        assert_eq!(catalogue.stray.len(), count("stray\t"));
        assert_eq!(catalogue.categories.len(), count("category\t"));
        assert_eq!(catalogue.reasons.len(), count("reason\t"));
        for line in lines.clone().filter(|line| line.starts_with('\t')) {
            let mut columns = line.split('\t').skip(1);
            let name = columns.next().unwrap();
            assert!(field(name, columns).is_some(), "{line}");
        }
        let starts = [
            "#",
            "\t",
            "event\t",
            "group\t",
            "stray\t",
            "category\t",
            "reason\t",
        ];
        for line in lines {
            assert!(starts.iter().any(|start| line.starts_with(start)), "{line}");
        }
    }

    #[test]
    fn names_are_unique_and_described() {
        let catalogue = read(TEXT);
        for pair in catalogue.events.windows(2) {
            assert!(pair[0].name < pair[1].name, "{}", pair[0].name);
        }
        for event in &catalogue.events {
            assert!(!event.description.is_empty(), "{}", event.name);
            let (is_bare, count) = (event.bare, event.fields.len());
            assert!(!is_bare || count == 0, "{}", event.name);
            let mut names: Vec<&str> = event.fields.iter().map(|field| field.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), event.fields.len(), "{}", event.name);
        }
        let known = |parent: &str| catalogue.categories.iter().any(|one| one.name == parent);
        for category in &catalogue.categories {
            assert!(category.parent.is_none_or(known), "{}", category.name);
        }
    }
}
