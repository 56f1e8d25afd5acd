//! Reasons for the comparisons of names, levels, categories and places.

use fantail_event::{Dialect, EventView, Source};
use fantail_syntax::Comparison as Written;

use super::{Reason, Seen, TermResult, field};
use crate::{CompiledComparison, SourceTest, Test};

/// Whether the comparison holds is asked of the comparison itself; everything
/// here finds the reason for that answer.
pub(super) fn explain<E: EventView + ?Sized>(
    written: &Written,
    compiled: &CompiledComparison,
    dialect: Dialect,
    event: &E,
) -> TermResult {
    let holds = compiled.holds(event);
    match compiled.test() {
        Test::Name(_) => name(written, holds, event),
        Test::Level(_) => match event.level() {
            None => TermResult::new(Seen::Nothing, Reason::NoLevel),
            Some(level) if holds => TermResult::new(Seen::Level(level), Reason::LevelFits),
            Some(level) => TermResult::new(Seen::Level(level), Reason::LevelDiffers),
        },
        Test::Category(category) => {
            TermResult::new(Seen::Nothing, self::category(category, holds, event))
        }
        Test::Source(test) => match event.source() {
            None => TermResult::new(Seen::Nothing, Reason::NoSource),
            Some(place) => source(test, holds, place),
        },
        Test::Field(test) => field::explain(test, written, dialect, holds, event),
        Test::Duration(test) => match event.duration_micros() {
            Some(micros) => {
                let reason = field::number(test, written, dialect, holds);
                field::finding(Seen::Duration(micros), reason, written)
            }
            None => field::explain(test, written, dialect, holds, event),
        },
    }
}

fn name<E: EventView + ?Sized>(written: &Written, holds: bool, event: &E) -> TermResult {
    let Some(name) = event.name() else {
        return TermResult::new(Seen::Nothing, Reason::NoName);
    };
    let value = &written.value;
    let is_case = || !value.is_wild() && value.unescaped().eq_ignore_ascii_case(name);
    let reason = match holds {
        true => Reason::NameFits,
        false if is_case() => Reason::NameCase,
        false => Reason::NameDiffers,
    };
    TermResult::new(Seen::Text(name.into()), reason).wanted(value.written())
}

fn category<E: EventView + ?Sized>(category: &[u8], holds: bool, event: &E) -> Reason {
    if holds {
        return Reason::CategoryFits;
    }
    let lower = category.to_ascii_lowercase();
    if lower != category && event.in_category(&lower) {
        Reason::CategoryCase
    } else if category.iter().any(|byte| b"*?".contains(byte)) {
        Reason::CategoryWildcard
    } else {
        Reason::CategoryDiffers
    }
}

fn source(test: &SourceTest, holds: bool, place: Source<'_>) -> TermResult {
    let same_file = match test {
        SourceTest::Place { file, .. } => **file == *place.file,
        SourceTest::Text(text) => text
            .strip_prefix(place.file)
            .is_some_and(|rest| rest.first() == Some(&b':')),
    };
    let reason = match holds {
        true => Reason::SourceFits,
        false if same_file => Reason::SourceLineDiffers,
        false => Reason::SourceFileDiffers,
    };
    let seen = Seen::Source {
        file: place.file.into(),
        line: place.line,
    };
    TermResult::new(seen, reason)
}
