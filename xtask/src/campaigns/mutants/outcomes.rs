//! What became of planted faults.

use std::{fmt, fs, path::Path};

use serde_json::Value;

use crate::error::Error;

/// The results of a run of cargo-mutants.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    /// Faults that a test found, or that made the tests take too long.
    found: u32,
    /// Faults that do not compile.
    unviable: u32,
    missed: Vec<String>,
}

impl Outcomes {
    /// Reads the report of a run, which may have been interrupted.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read(path).map_err(Error::at("read", path))?;
        let report: Value = serde_json::from_slice(&text).map_err(Error::at("read", path))?;
        Self::of(&report).ok_or_else(|| {
            let path = path.display();
            Error::new(format!(
                "{path}: no report of cargo-mutants, or no faults in it"
            ))
        })
    }

    fn of(report: &Value) -> Option<Self> {
        let mut outcomes = Self::default();
        for outcome in report.get("outcomes")?.as_array()? {
            let name = outcome.pointer("/scenario/Mutant/name");
            let Some(name) = name.and_then(Value::as_str) else {
                // The tests without a fault.
                continue;
            };
            match outcome.get("summary")?.as_str()? {
                "CaughtMutant" | "Timeout" => outcomes.found += 1,
                "MissedMutant" => outcomes.missed.push(name.to_owned()),
                _ => outcomes.unviable += 1,
            }
        }
        Some(outcomes)
    }

    /// Returns the names of the faults that no test found.
    pub(super) fn missed(&self) -> &[String] {
        &self.missed
    }

    /// Counts those as found that other tests find.
    pub(super) fn add_found_later(&mut self, later: &Self) {
        let missed = self.missed.len();
        let found = later.found;
        // An interrupted run says nothing of the rest: they count as missed.
        if later.missed.len() + found as usize == missed {
            self.missed.clone_from(&later.missed);
            self.found += found;
        }
    }

    /// Returns the share of faults that were found, with the lower bound of its 95 %
    /// confidence interval (Wilson's).
    fn score(&self) -> (f64, f64) {
        const Z: f64 = 1.96;
        let missed = u32::try_from(self.missed.len()).unwrap_or(u32::MAX);
        let count = f64::from(self.found.saturating_add(missed)).max(1.0);
        let share = f64::from(self.found) / count;
        let middle = share + Z * Z / (2.0 * count);
        let spread = Z * (share * (1.0 - share) / count + (Z / (2.0 * count)).powi(2)).sqrt();
        (share, (middle - spread) / (1.0 + Z * Z / count))
    }
}

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (share, bound) = self.score();
        write!(
            f,
            "{} found, {} survive, {} do not compile: {:.1} %, at least {:.1} %",
            self.found,
            self.missed.len(),
            self.unviable,
            share * 100.0,
            bound * 100.0
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Outcomes;

    #[test]
    fn a_report_is_counted() {
        let mutant = |name: &str, summary: &str| json!({"scenario": {"Mutant": {"name": name}}, "summary": summary});
        let report = json!({"outcomes": [
            {"scenario": "Baseline", "summary": "Success"},
            mutant("a", "CaughtMutant"),
            mutant("b", "Timeout"),
            mutant("c", "MissedMutant"),
            mutant("d", "Unviable"),
        ]});
        let outcomes = Outcomes::of(&report).unwrap();
        assert_eq!(outcomes.missed(), ["c"]);
        let shown = "2 found, 1 survive, 1 do not compile: 66.7 %, at least 20.8 %";
        assert_eq!(outcomes.to_string(), shown);
    }

    /// The bound of 96 of 109 is that of a table of Wilson's intervals.
    #[test]
    fn the_bound_is_wilsons() {
        let outcomes = Outcomes {
            found: 96,
            unviable: 0,
            missed: vec![String::new(); 13],
        };
        let (share, bound) = outcomes.score();
        assert!((share - 0.8807).abs() < 1e-4, "{share}");
        assert!((bound - 0.8067).abs() < 1e-3, "{bound}");
    }
}
