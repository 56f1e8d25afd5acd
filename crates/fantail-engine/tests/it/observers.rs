//! Filters that watch events beside the metrics.

use fantail_engine::{Engine, ExportSink, Exported, ObserverId};
use fantail_event::{Dialect, EffectiveEvent, Event, SentEvent, Timestamp};
use fantail_filter::Filter;
use fantail_format::ExportContext;
use fantail_wire::Intake;

use super::{CONTEXT, Client, Recorded, settings};

const METRIC: &str = "metric m {\n  filter = event=login\n}\n";

fn filters(texts: &[&str]) -> Vec<Filter> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn observed(recorded: &Recorded) -> Vec<usize> {
    recorded.observed.iter().map(|(id, _)| id.0).collect()
}

#[test]
fn observers_see_what_matches_with_all_that_it_inherits() {
    let mut engine = Engine::new(&settings(METRIC.as_bytes(), Dialect::V2_4)).unwrap();
    engine.observe(filters(&["user=anna", "event=other", "session=*"]));
    let (mut intake, mut recorded) = (Intake::new(), Recorded::default());
    let mut client = Client::new(&mut intake, Dialect::V2_4);
    let lines = [
        "BEGIN\t1\t0\t1\t5\t5\tSuser\tanna",
        "EVENT\t0\t1\t1\t5\t5\tnother",
        "EVENT\t0\t0\t1\t5\t5\tnother\tSuser\tberta",
        "EVENT\t0\t0\t1\t5\t5\tnlogin\tSsession\ts",
    ];
    client.play(&lines, (&mut intake, &mut engine), &mut recorded);
    assert_eq!(observed(&recorded), [0, 0, 1, 1, 2]);
    let whole = &recorded.observed[1].1;
    assert!(whole.contains("user=Str"), "{whole}");
    assert_eq!(engine.counters().events, 4);
    assert_eq!(engine.counters().matched, 1);
}

/// Metrics of 2.3 count no event without a name; observers see it.
#[test]
fn unnamed_events_are_observed_and_not_counted() {
    let metric = "metric m {\n  filter = user=anna\n}\n";
    let mut engine = Engine::new(&settings(metric.as_bytes(), Dialect::V2_3)).unwrap();
    engine.observe(filters(&["user=anna", "event=*"]));
    let (mut intake, mut recorded) = (Intake::new(), Recorded::default());
    let mut client = Client::new(&mut intake, Dialect::V2_3);
    let line = "EVENT\t0\t0\t1\t5\t5\tSuser\tanna";
    client.play(&[line], (&mut intake, &mut engine), &mut recorded);
    assert_eq!(observed(&recorded), [0]);
    assert_eq!(engine.counters().matched, 0);
}

/// Wants what one observer sees, and nothing that the other does.
#[derive(Default)]
struct Picky {
    asked: Vec<usize>,
    got: Vec<usize>,
}

impl ExportSink for Picky {
    fn export(&mut self, _: Exported<'_>) {}

    fn wants_observed(&mut self, observer: ObserverId, _: usize) -> bool {
        self.asked.push(observer.0);
        observer.0 == 1
    }

    fn observed(
        &mut self,
        observer: ObserverId,
        _: &EffectiveEvent<'_>,
        context: ExportContext<'_>,
    ) {
        assert_eq!(context, CONTEXT);
        self.got.push(observer.0);
    }
}

#[test]
fn an_observed_event_is_gathered_only_if_it_is_wanted() {
    let mut engine = Engine::new(&settings(METRIC.as_bytes(), Dialect::V2_4)).unwrap();
    engine.observe(filters(&["event=*", "event=x", "event=y"]));
    let event = Event::builder(Timestamp::default()).name("x").build();
    let event = event.unwrap();
    let mut picky = Picky::default();
    engine.handle(&SentEvent::alone(&event), CONTEXT, &mut picky);
    assert_eq!((picky.asked, picky.got), (vec![0, 1], vec![1]));
    engine.observe([]);
    let mut none = Picky::default();
    engine.handle(&SentEvent::alone(&event), CONTEXT, &mut none);
    assert_eq!(none.asked, [0; 0]);
}
