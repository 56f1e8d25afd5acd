//! Events as people write them, with the types that Dovecot would send.

use fantail_config::{Span, WrittenEvent};
use fantail_event::{
    CategoryTree, Dialect, ElementSource, Elements, Event, Ip, Timestamp, ValueRef,
    text::{MAX_FIELDS, integer},
};

pub use self::error::{MakeError, MakeErrorKind};
use crate::{
    Catalogue,
    catalogue::{FieldType, stands_for},
};

mod error;

impl Catalogue {
    /// Makes an event, created at `created`; registers its categories in
    /// `categories`.
    ///
    /// A field gets its type from the catalogue. A field that is not in the
    /// catalogue is a number if it has the form of one, otherwise text. The
    /// elements of a list are separated by blanks or commas. A time is in
    /// seconds since 1970, with a fraction of up to six digits. Without
    /// categories, the event gets its documented category.
    ///
    /// # Errors
    /// A value does not have the field's type, or the event exceeds a limit.
    pub fn make(
        &self,
        written: &WrittenEvent,
        created: Timestamp,
        dialect: Dialect,
        categories: &mut CategoryTree,
    ) -> Result<Event, MakeError> {
        let name = &written.name;
        let duration = i64::try_from(written.duration_micros).ok();
        let sent = duration.and_then(|duration| created.unix_micros().checked_add(duration));
        let sent = sent.ok_or_else(|| MakeError::new(MakeErrorKind::TooLong, name.span))?;
        let sent = Timestamp::from_unix_micros(sent);
        let mut event = Event::builder(created).name(&name.value).sent(sent);
        let known = self.event(&name.value).and_then(|event| event.category);
        let own: Vec<(&[u8], Span)> = match &written.categories {
            Some(given) => given.iter().map(|one| (&*one.value, one.span)).collect(),
            None => known
                .map(|known| (known.as_bytes(), name.span))
                .into_iter()
                .collect(),
        };
        for (category, place) in own {
            self.register(category, categories)
                .ok_or_else(|| MakeError::new(MakeErrorKind::Category, place))?;
            event = event.category(category);
        }
        for (count, (key, value)) in written.fields.iter().enumerate() {
            if count >= MAX_FIELDS {
                return Err(MakeError::new(MakeErrorKind::TooManyFields, key.span));
            }
            let kind = self.kind(&name.value, &key.value, dialect);
            let elements = elements(value.bytes());
            let typed = typed(kind, value.bytes(), &elements, dialect);
            let typed = typed.ok_or_else(|| MakeError::wrong_type(value, kind))?;
            event = event.field(&key.value, typed);
        }
        event
            .build()
            .map_err(|error| MakeError::too_large(error, name.span))
    }

    /// Returns the type of a field of an event; `None` if it is unknown.
    fn kind(&self, event: &[u8], key: &[u8], dialect: Dialect) -> Option<FieldType> {
        if key == b"reason_code" {
            return Some(FieldType::List);
        }
        let own = self
            .event(event)
            .and_then(|event| event.field(key, dialect));
        let anywhere = || {
            let mut events = self.events().iter();
            events.find_map(|event| event.field(key, dialect))
        };
        let stray = || {
            let mut fields = self.stray_fields().iter();
            fields.find(|field| stands_for(field.key(dialect), key))
        };
        let field = own.or_else(anywhere).or_else(stray)?;
        Some(field.kind(dialect))
    }

    /// Registers a category in `tree`, with its ancestors of the catalogue; a
    /// category that is not in the catalogue has no parent. Returns `None` if
    /// the tree refuses it.
    pub fn register(&self, name: &[u8], tree: &mut CategoryTree) -> Option<()> {
        // From the category to its root, then back.
        let mut chain = vec![name];
        while let Some(parent) = chain.last().and_then(|name| self.parent(name)) {
            if chain.contains(&parent) {
                return None;
            }
            chain.push(parent);
        }
        let mut above = None;
        for name in chain.into_iter().rev() {
            tree.register(name, above).ok()?;
            above = Some(name);
        }
        Some(())
    }

    fn parent(&self, name: &[u8]) -> Option<&'static [u8]> {
        let mut categories = self.categories().iter();
        let category = categories.find(|category| stands_for(category.name, name))?;
        category.parent.map(str::as_bytes)
    }
}

/// Splits a list at blanks and commas.
fn elements(text: &[u8]) -> Vec<&[u8]> {
    let elements = text.split(|byte| matches!(byte, b' ' | b',' | b'\t'));
    elements.filter(|element| !element.is_empty()).collect()
}

fn typed<'a>(
    kind: Option<FieldType>,
    text: &'a [u8],
    elements: &'a dyn ElementSource,
    dialect: Dialect,
) -> Option<ValueRef<'a>> {
    let as_text = || ValueRef::Str(text);
    Some(match kind {
        None => integer(text).map_or_else(as_text, ValueRef::Int),
        Some(FieldType::Integer) => ValueRef::Int(integer(text)?),
        Some(FieldType::Address) if dialect == Dialect::V2_4 => {
            ValueRef::from(Ip::parse_sent(text)?)
        }
        Some(FieldType::Text | FieldType::Address) => as_text(),
        Some(FieldType::Timestamp) => ValueRef::Time(time(text)?),
        Some(FieldType::List) => ValueRef::List(Elements::of(elements, 0)),
    })
}

/// Parses `1700000000` or `1700000000.25`.
fn time(text: &[u8]) -> Option<Timestamp> {
    let point = text.iter().position(|byte| *byte == b'.');
    let (seconds, fraction) = text.split_at(point.unwrap_or(text.len()));
    let micros = match fraction.strip_prefix(b".") {
        None => 0,
        Some(digits) if digits.len() > 6 || !digits.iter().all(u8::is_ascii_digit) => return None,
        Some(digits) => {
            let mut padded = [b'0'; 6];
            padded.get_mut(..digits.len())?.copy_from_slice(digits);
            u32::try_from(integer(&padded)?).ok()?
        }
    };
    Timestamp::new(integer(seconds)?, micros)
}

#[cfg(test)]
mod tests {
    use fantail_config::{Memory, TestEvent, TestFile};
    use fantail_event::text;

    use super::*;

    /// Checks the event in its text form, or the error.
    #[track_caller]
    fn check(dialect: Dialect, event: &str, expected: &str) {
        let text = format!("config = x\ntest t {{\n{event}\nmatches = m\n}}\n");
        let memory = Memory::new().with("x.test", text);
        let file = TestFile::load(b"x.test", &memory, &Default::default());
        assert_eq!(file.diagnostics.to_lines(&file.sources), "");
        let TestEvent::Written(written) = &file.tests[0].events[0] else {
            panic!("no written event");
        };
        let mut categories = CategoryTree::default();
        let created = Timestamp::from_unix_micros(1_000_000);
        let made = Catalogue::new().make(written, created, dialect, &mut categories);
        let got = match made {
            Ok(event) => {
                let mut line = Vec::new();
                text::write(event.as_event_ref(), &mut line);
                String::from_utf8(line).unwrap().replace('\t', " ")
            }
            Err(error) => {
                format!("{}: {error}", file.sources.position(error.span()).line)
            }
        };
        assert_eq!(got, expected);
    }

    #[test]
    fn types_are_those_of_the_catalogue() {
        let event = "event imap_command_finished {\ncmd_name = 12\nnet_in_bytes = 5\n\
                     remote_ip = 127.1\nreason_code = a:b, c:d\nlast_run_time = 3.25\n\
                     own = 7\nother = 7x\nduration = 1500000\n}";
        check(
            Dialect::V2_4,
            event,
            "1 0 l2 500000 nimap_command_finished cimap Scmd_name 12 Inet_in_bytes 5 \
             Premote_ip 127.0.0.1 Lreason_code 2 a:b c:d Tlast_run_time 3 250000 \
             Iown 7 Sother 7x",
        );
        check(
            Dialect::V2_3,
            "event a {\nremote_ip = 127.1\nbytes_in = 5\n}",
            "1 0 l1 0 na Sremote_ip 127.1 Ibytes_in 5",
        );
        check(
            Dialect::V2_4,
            "event a {\ncategory = mailbox service:x own\n}",
            "1 0 l1 0 na cmailbox cservice:x cown",
        );
    }

    #[test]
    fn wrong_values_are_named() {
        let wrong = |field: &str, expected: &str| {
            let event = format!("event imap_command_finished {{\n{field}\n}}");
            check(Dialect::V2_4, &event, expected);
        };
        let number = "4: expected a number, the type that Dovecot sends this field with, found `x`";
        wrong("net_in_bytes = x", number);
        let address =
            "4: expected an address, the type that Dovecot sends this field with, found `x`";
        wrong("remote_ip = x", address);
        for time in ["x", "1.x", "1.1234567", ".5", ""] {
            let expected = format!(
                "4: expected a time in seconds since 1970, the type that Dovecot sends this field \
                 with, found `{time}`"
            );
            wrong(&format!("last_run_time = {time}"), &expected);
        }
        let long = "3: the duration reaches beyond the last time";
        wrong("duration = 9223372036854775807", long);
    }
}
