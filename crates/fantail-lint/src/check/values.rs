//! Operators and values that the type of a field, or Dovecot, excludes.

use fantail_event::Dialect;
use fantail_filter::{FieldTest, NumberTest, Test};
use fantail_syntax::{Operator, ValueKind};

use super::{Subject, fields, language, shown};
use crate::{
    Finding, LintCode,
    catalogue::{Field, FieldType, stands_for},
    finding::enumerate,
};

/// Reports comparisons that never hold.
pub(super) fn check(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let written = subject.filter().tree().comparisons();
    for (comparison, written) in subject.filter().comparisons().iter().zip(written) {
        let Test::Field(test) = comparison.test() else {
            continue;
        };
        if test.text.is_empty() {
            continue;
        }
        let one = Comparison {
            subject,
            test,
            written,
            fields: fields::carriers(&subject.scope, &test.key),
        };
        findings.extend(one.operator().or_else(|| one.value()));
    }
}

/// Reports comparisons that crash Dovecot 2.3.
pub(super) fn check_crashes(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let scope = &subject.scope;
    let hazards = subject.filter().hazards();
    for hazard in hazards.filter(|hazard| scope.series.may_be_number(hazard.key())) {
        let fields = fields::carriers(scope, hazard.key());
        let is_number = |field: &&Field| field.kind(Dialect::V2_3) == FieldType::Integer;
        let stray = scope.catalogue().stray_fields().iter();
        let mut stray = stray.filter(|field| field.name.as_bytes() == hazard.key());
        if hazard.key() == b"duration"
            || fields.iter().any(is_number)
            || stray.any(|field| is_number(&field))
        {
            let message = format!(
                "this kills every process of Dovecot 2.3 that evaluates it: `{}` is a number",
                shown(hazard.key())
            );
            let advice = language::advice_at(subject, &hazard.span());
            let usual = || "compare it with a whole number, without a unit".to_owned();
            findings.push(
                Finding::new(
                    LintCode::CrashesDovecot,
                    message,
                    subject.place(hazard.span()),
                )
                .help(advice.unwrap_or_else(usual)),
            );
        }
    }
}

struct Comparison<'a> {
    subject: &'a Subject<'a>,
    test: &'a FieldTest,
    written: &'a fantail_syntax::Comparison,
    /// The fields of the events in question with this key.
    fields: Vec<&'a Field>,
}

impl Comparison<'_> {
    /// Returns the type of the field, if it is unique.
    fn kind(&self) -> Option<FieldType> {
        let dialect = self.dialect();
        match &*self.test.key {
            b"duration" => return Some(FieldType::Integer),
            b"reason_code" => return Some(FieldType::List),
            _ => {}
        }
        let mut kinds = self.fields.iter().map(|field| field.kind(dialect));
        let first = kinds.next()?;
        kinds.all(|kind| kind == first).then_some(first)
    }

    fn dialect(&self) -> Dialect {
        self.subject.scope.dialect()
    }

    /// Returns whether 2.3 would crash, which another check reports.
    fn crashes(&self) -> bool {
        let mut hazards = self.subject.filter().hazards();
        hazards.any(|hazard| hazard.span() == self.written.span)
    }

    fn operator(&self) -> Option<Finding> {
        let kind = self.kind()?;
        let key = shown(&self.test.key);
        let place = self.subject.place(self.written.span.clone());
        let symbol = self.written.operator.symbol();
        let message = match (kind, self.test.operator) {
            (FieldType::Timestamp, _) => {
                format!("`{key}` is a point in time, which filters cannot compare")
            }
            (FieldType::Integer, _) | (_, Operator::Equal) => return None,
            (FieldType::Text, _) => {
                format!("`{symbol}` compares numbers, but `{key}` is a text: this never holds")
            }
            (FieldType::Address, _) => {
                format!("`{symbol}` compares numbers, but `{key}` is an address: this never holds")
            }
            (FieldType::List, _) => {
                format!("`{symbol}` compares numbers, but `{key}` is a list: this never holds")
            }
        };
        Some(Finding::new(LintCode::OperatorType, message, place))
    }

    fn value(&self) -> Option<Finding> {
        let key = shown(&self.test.key);
        let value = shown(self.written.value.written());
        let place = self.subject.place(self.written.value_span.clone());
        let is_text = self.written.value.kind() == ValueKind::Text;
        match self.kind()? {
            FieldType::Integer
                if is_text && self.test.number == NumberTest::Never && !self.crashes() =>
            {
                let message = format!("`{key}` is a number, which `{value}` never is");
                let finding = Finding::new(LintCode::ValueType, message, place);
                let has_unit = value.starts_with(|c: char| c.is_ascii_digit());
                Some(if has_unit && self.dialect() == Dialect::V2_3 {
                    let advice = language::advice_at(self.subject, &self.written.span);
                    let finding = finding.note("Dovecot 2.3 knows no units");
                    finding.help(advice.unwrap_or_else(|| "write the whole number".to_owned()))
                } else {
                    finding
                })
            }
            FieldType::Address if is_text && self.test.text.literal().is_some() => {
                let message = format!("`{key}` is an address, which `{value}` never is");
                Some(Finding::new(LintCode::ValueType, message, place))
            }
            FieldType::Text => self.never_sent(&key, &value, place),
            FieldType::List if *self.test.key == *b"reason_code" => self.reason_code(&value, place),
            _ => None,
        }
    }

    fn never_sent(&self, key: &str, value: &str, place: fantail_config::Span) -> Option<Finding> {
        let sent = |field: &&Field| {
            let mut values = field.values.iter();
            field.values.is_empty() || values.any(|one| self.test.text.matches(one.as_bytes()))
        };
        if self.fields.is_empty() || self.fields.iter().any(sent) {
            return None;
        }
        let values = &self.fields.first()?.values;
        let message = format!("`{key}` is never `{value}`");
        let finding = Finding::new(LintCode::ValueNeverSent, message, place);
        Some(match values.as_slice() {
            ["yes"] => finding
                .label("it is `yes`, or it is not there")
                .help(format!("write `NOT {key}=yes`")),
            values => finding.label(format!("it is {}", enumerate(values, "or"))),
        })
    }

    fn reason_code(&self, value: &str, place: fantail_config::Span) -> Option<Finding> {
        self.test.text.literal()?;
        let codes = self.subject.scope.catalogue().reason_codes();
        let lower = value.to_ascii_lowercase();
        if codes.iter().any(|code| stands_for(code, lower.as_bytes())) {
            return None;
        }
        let series = self.subject.scope.series;
        let similar = series.similar(value.as_bytes(), codes.iter().copied(), 3);
        let message = format!("Dovecot has no reason code `{value}`");
        Some(Finding::new(LintCode::ValueNeverSent, message, place).suggest(&similar))
    }
}
