//! Metrics that a scrape omits.

use fantail_config::{Metric, Settings};

use super::shown;
use crate::{Finding, LintCode, finding::enumerate};

/// The maximum number of further names in a message.
const OTHERS: usize = 5;

/// Reports all such metrics once, because people use this on purpose.
pub(super) fn check(settings: &Settings, findings: &mut Vec<Finding>) {
    let metrics = settings.metrics.iter();
    let hidden = |metric: &&Metric| metric.rules.exposed && !is_legal(&metric.settings.name);
    let mut hidden = metrics.filter(hidden);
    let Some(first) = hidden.next() else {
        return;
    };
    let name = |metric: &Metric| shown(&metric.settings.name);
    let others: Vec<String> = hidden.map(name).collect();
    let message = format!("Prometheus does not see the metric `{}`", name(first));
    let finding = Finding::new(LintCode::HiddenMetric, message, first.spans.name).note(
        "names of other characters than letters, digits, `_` and `:` are left out of the scrape",
    );
    let finding = finding.help(
        "rename it; or, if only its exporters need it, set `expose = no` in a file that only \
         fantail reads",
    );
    let told: Vec<&str> = others.iter().take(OTHERS).map(String::as_str).collect();
    let told = enumerate(&told, "and");
    findings.push(match others.len() {
        0 => finding,
        count if count <= OTHERS => finding.note(format!("nor does it see {told}")),
        count => finding.note(format!(
            "nor does it see {told}, and {} more",
            count - OTHERS
        )),
    });
}

/// Returns whether the name is `[a-zA-Z_:][a-zA-Z0-9_:]*`.
fn is_legal(name: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':');
    name.iter().all(fits) && !name.first().is_none_or(u8::is_ascii_digit)
}
