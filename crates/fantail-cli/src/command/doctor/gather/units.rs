//! The state of systemd units.

use fantail::lint::UnitFacts;

use super::{Gathered, programs};

const UNITS: [&str; 2] = ["dovecot.service", "fantail.service"];

pub(super) fn gather(gathered: &mut Gathered) {
    for unit in UNITS {
        let arguments = ["show", "-p", "LoadState,ActiveState,Result", unit];
        match programs::run("systemctl", &arguments) {
            Ok(said) if said.status.success() => {
                gathered.facts.units.extend(read(unit, &said.out));
            }
            Ok(said) => {
                let why = said.err.lines().next().unwrap_or_default().to_owned();
                gathered.unseen("units of systemd", why);
                return;
            }
            Err(error) => {
                gathered.unseen("units of systemd", format!("systemctl: {error}"));
                return;
            }
        }
    }
}

/// Parses properties such as `ActiveState=failed`, one per line; returns `None` if the
/// unit does not exist.
fn read(unit: &str, said: &str) -> Option<UnitFacts> {
    let property = |name: &str| {
        let mut lines = said.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    };
    let active = property("ActiveState").filter(|_| property("LoadState") == Some("loaded"))?;
    let failure = (active == "failed").then(|| property("Result").unwrap_or("failed").to_owned());
    Some(UnitFacts {
        name: unit.to_owned(),
        failure,
        is_active: active == "active",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_has_failed_with_a_result() {
        let failure = |said| read("x", said).map(|unit| unit.failure);
        let failed = "LoadState=loaded\nActiveState=failed\nResult=exit-code\n";
        assert_eq!(failure(failed), Some(Some("exit-code".to_owned())));
        let active = "LoadState=loaded\nActiveState=active\nResult=success\n";
        assert_eq!(failure(active), Some(None));
        let missing = "LoadState=not-found\nActiveState=inactive\nResult=success\n";
        assert_eq!(failure(missing), None);
    }
}
