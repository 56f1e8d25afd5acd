//! What limits did to metrics, as families of our own.

use std::io;

use fantail_metrics::{GroupBy, Label, Method, MetricSnapshot, Snapshot};

use super::{
    exposition::Exposition,
    family::{Family, Kind},
};

impl<W: io::Write> Exposition<W> {
    /// Writes what the limits on series did to each metric of a snapshot: how
    /// many updates went to a series `other`
    /// (`fantail_overflowed_updates_total`), and how many idle series were
    /// dropped (`fantail_dropped_series_total`). The label `metric` is the
    /// metric's name, also if that is legal nowhere else. Metrics without
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
        // As a label of a group_by, which no two values share.
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
