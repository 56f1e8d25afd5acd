//! Rates of metrics, from two samples of the counts.

use std::collections::HashMap;

use clap::ValueEnum;

/// The event count and the sum of durations of each metric and sub-metric.
pub(super) type Counts = HashMap<Vec<u8>, (u64, u64)>;

/// The column that rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Sort {
    /// Events per second.
    Rate,
    /// Total events.
    Total,
    /// Average duration.
    Duration,
    /// Name.
    Name,
}

impl Sort {
    /// Returns the next column.
    pub(super) fn next(self) -> Self {
        match self {
            Self::Rate => Self::Total,
            Self::Total => Self::Duration,
            Self::Duration => Self::Name,
            Self::Name => Self::Rate,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rate => "events/s",
            Self::Total => "events",
            Self::Duration => "avg duration",
            Self::Name => "name",
        }
    }
}

/// The events of a metric between two samples.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rate {
    pub(super) name: String,
    /// The total number of events.
    pub(super) total: u64,
    /// The number of events between the samples.
    pub(super) new: u64,
    pub(super) per_second: f64,
    pub(super) average_ms: f64,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Row {
    Metric(Rate),
    /// The number of further metrics with the same numbers as the row above.
    Alike(usize),
}

/// The maximum number of visible rows with the same numbers; the others are counted.
const ALIKE: usize = 3;

/// Returns the rates of metrics whose names contain `filter` and that have counted events
/// between two samples.
pub(super) fn rates(before: &Counts, now: &Counts, seconds: f64, filter: &str) -> Vec<Rate> {
    let rate = |(name, (total, sum)): (&Vec<u8>, &(u64, u64))| {
        let (old, old_sum) = before.get(name).copied().unwrap_or_default();
        // After a reset, all events are new.
        let (new, new_sum) = match total.checked_sub(old) {
            Some(new) => (new, sum.saturating_sub(old_sum)),
            None => (*total, *sum),
        };
        #[allow(clippy::cast_precision_loss, reason = "shown with few digits")]
        let (per_second, average_ms) = (
            new as f64 / seconds,
            new_sum as f64 / new.max(1) as f64 / 1000.0,
        );
        Rate {
            name: String::from_utf8_lossy(name).into_owned(),
            total: *total,
            new,
            per_second,
            average_ms,
        }
    };
    let rates = now.iter().map(rate);
    rates
        // Rows of zeros would hide the active metrics.
        .filter(|rate| rate.new > 0 && rate.name.contains(filter))
        .collect()
}

/// Sorts the rates, and groups those with the same numbers.
pub(super) fn rows(mut rates: Vec<Rate>, sort: Sort) -> Vec<Row> {
    rates.sort_by(|a, b| {
        let by_column = match sort {
            Sort::Rate => b.per_second.total_cmp(&a.per_second),
            Sort::Total => b.total.cmp(&a.total),
            Sort::Duration => b.average_ms.total_cmp(&a.average_ms),
            Sort::Name => a.name.cmp(&b.name),
        };
        let by_rate = b.per_second.total_cmp(&a.per_second);
        let others = by_rate
            .then(b.total.cmp(&a.total))
            .then_with(|| a.name.cmp(&b.name));
        by_column.then(others)
    });
    let mut rows = Vec::new();
    let mut rest = rates.into_iter().peekable();
    while let Some(first) = rest.next() {
        let mut alike = 1;
        let numbers = (first.new, first.total);
        rows.push(Row::Metric(first));
        let mut more = 0;
        while let Some(next) =
            rest.next_if(|next| sort != Sort::Name && (next.new, next.total) == numbers)
        {
            match alike < ALIKE {
                true => rows.push(Row::Metric(next)),
                false => more += 1,
            }
            alike += 1;
        }
        if more > 0 {
            rows.push(Row::Alike(more));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(all: &[(&str, u64, u64)]) -> Counts {
        let all = all.iter();
        all.map(|(name, count, sum)| (name.as_bytes().to_vec(), (*count, *sum)))
            .collect()
    }

    fn names(rows: &[Row]) -> Vec<String> {
        let name = |row: &Row| match row {
            Row::Metric(rate) => rate.name.clone(),
            Row::Alike(more) => format!("{more} more"),
        };
        rows.iter().map(name).collect()
    }

    #[test]
    fn the_busiest_first_and_a_reset_begins_anew() {
        let before = counts(&[("a", 10, 1_000), ("b", 100, 0), ("quiet", 9, 0)]);
        let now = counts(&[
            ("a", 14, 9_000),
            ("b", 7, 7_000),
            ("c", 1, 0),
            ("quiet", 9, 0),
        ]);
        let rows = rows(rates(&before, &now, 2.0, ""), Sort::Rate);
        assert_eq!(names(&rows), ["b", "a", "c"]);
        let Row::Metric(busiest) = &rows[0] else {
            panic!("not a metric")
        };
        let expected = Rate {
            name: "b".to_owned(),
            total: 7,
            new: 7,
            per_second: 3.5,
            average_ms: 1.0,
        };
        assert_eq!(*busiest, expected);
    }

    #[test]
    fn each_column_sorts() {
        let before = counts(&[("total", 100, 0)]);
        let now = counts(&[("total", 101, 0), ("slow", 2, 9_000), ("busy", 9, 9_000)]);
        let check = |sort, expected: [&str; 3]| {
            assert_eq!(names(&rows(rates(&before, &now, 1.0, ""), sort)), expected);
        };
        check(Sort::Rate, ["busy", "slow", "total"]);
        check(Sort::Total, ["total", "busy", "slow"]);
        check(Sort::Duration, ["slow", "busy", "total"]);
        check(Sort::Name, ["busy", "slow", "total"]);
    }

    /// A thousand users with one event each do not hide the other metrics.
    #[test]
    fn equal_rows_are_counted() {
        let users: Vec<String> = (0..1000)
            .map(|user| format!("logins_user{user:03}"))
            .collect();
        let mut all: Vec<_> = users.iter().map(|user| (user.as_str(), 1, 0)).collect();
        all.extend([("logins", 1000, 0), ("other", 1, 0), ("zero", 0, 0)]);
        let rates = |filter| rates(&Counts::new(), &counts(&all), 1.0, filter);
        let shown = [
            "logins",
            "logins_user000",
            "logins_user001",
            "logins_user002",
            "998 more",
        ];
        assert_eq!(names(&rows(rates(""), Sort::Rate)), shown);
        assert_eq!(rows(rates(""), Sort::Name).len(), 1002);
        assert_eq!(names(&rows(rates("the"), Sort::Rate)), ["other"]);
    }
}
