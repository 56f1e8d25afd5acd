//! The effects of limits on metrics, as families of fantail.

use std::io;

use fantail_metrics::{GroupBy, Label, Method, MetricSnapshot, Snapshot};

use super::{
    exposition::Exposition,
    family::{Family, Kind},
};

impl<W: io::Write> Exposition<W> {
    /// Writes the effects of the series limits on each metric of a snapshot:
    /// the number of updates that went to a series `other`
    /// (`fantail_overflowed_updates_total`), and the number of dropped idle
    /// series (`fantail_dropped_series_total`). The label `metric` is the name
    /// of the metric, also if that is not a legal metric name. Metrics without
    /// `group_by` have neither.
    ///
    /// # Errors
    /// Writing fails.
    pub fn limits(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        let overflowed = Family {
            name: "fantail_overflowed_updates",
            kind: Kind::Counter,
            help: "Updates without a series of their own, for lack of room",
            unit: None,
        };
        let dropped = Family {
            name: "fantail_dropped_series",
            kind: Kind::Counter,
            help: "Series dropped because nothing happened to them",
            unit: None,
        };
        self.of_metrics(snapshot, &overflowed, MetricSnapshot::overflowed)?;
        self.of_metrics(snapshot, &dropped, MetricSnapshot::dropped)
    }

    fn of_metrics(
        &mut self,
        snapshot: &Snapshot,
        family: &Family<'_>,
        number: impl Fn(&MetricSnapshot) -> u64,
    ) -> io::Result<()> {
        // As a value of a group_by, so that no two names have the same text.
        let level = GroupBy {
            field: b"metric".to_vec(),
            method: Method::Discrete(Vec::new()),
        };
        self.family(family, |samples| {
            let metrics = snapshot.metrics().iter();
            for metric in metrics.filter(|metric| !metric.settings().group_by.is_empty()) {
                let name = Label::Value(&metric.settings().name).text(&level);
                samples.add(&[("metric", &name)], number(metric))?;
            }
            Ok(())
        })
    }
}
