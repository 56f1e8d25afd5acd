//! The families of heavy hitters.

use std::io;

use fantail_metrics::{GroupBy, HeavyHitter, HeavyHitters, Method, MetricSettings, Top};

use super::{
    exposition::Exposition,
    family::{Family, Kind, help},
    name::label_names,
};

impl<W: io::Write> Exposition<W> {
    /// Writes the values with the greatest weights, and the bounds of all weights.
    pub(super) fn top(
        &mut self,
        settings: &MetricSettings,
        (top, values): (&Top, &HeavyHitters),
        name: &str,
    ) -> io::Result<()> {
        let level = GroupBy::new(top.field(), Method::Discrete(top.modifiers().to_vec()));
        let labels = label_names(std::slice::from_ref(&level));
        let label = labels.first().map_or("", String::as_str);
        let counted = match top.weight() {
            None => "Events".to_owned(),
            Some(field) => format!("Sum of {}", String::from_utf8_lossy(field)),
        };
        let mut family = |suffix: &str, kind, about: &str, each: Numbers| {
            let about = help(&about.replace("{}", &counted), settings, "");
            let family = Family {
                name: &format!("{name}_top{suffix}"),
                kind,
                help: &about,
                unit: None,
            };
            self.family(&family, |samples| match each {
                Numbers::Of(number) => values.shown().iter().try_for_each(|one| {
                    let value = one.label.text(&level);
                    samples.add(&[(label, &value)], number(one))
                }),
                Numbers::All(number) => samples.add(&[], number),
            })
        };
        let gauge = Kind::Gauge;
        let about = "{} of the most frequent values, at least, of";
        family("", gauge, about, Numbers::Of(|one| one.counted))?;
        let about = "{} of the most frequent values that may be missing in the top of";
        family("_error", gauge, about, Numbers::Of(|one| one.error))?;
        let about = "{} of any other value, at most, of";
        family(
            "_others",
            gauge,
            about,
            Numbers::All(values.others_at_most()),
        )?;
        let about = "{} of all values of";
        family(
            "_weight",
            Kind::Counter,
            about,
            Numbers::All(values.total()),
        )
    }
}

/// The numbers of a family.
enum Numbers {
    /// A number of each value that is shown.
    Of(fn(&HeavyHitter<'_>) -> u64),
    /// One number of all values.
    All(u64),
}
