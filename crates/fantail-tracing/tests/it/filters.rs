//! Cases in which `EnvFilter` surprises its users, with what it does.

use std::{
    fmt,
    num::NonZeroU32,
    sync::{Arc, Mutex},
};

use fantail_tracing::LayerFilter;
use fantail_transport::ThrottleSettings;
use tracing::{
    Event, debug, error,
    field::{Field, Visit},
    info, info_span, warn,
};
use tracing_subscriber::{
    EnvFilter, Registry,
    layer::{Context, Filter, Layer},
    prelude::*,
    reload,
};

/// A layer that keeps the messages of events.
#[derive(Debug, Clone, Default)]
pub(crate) struct Messages(Arc<Mutex<Vec<String>>>);

impl Messages {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl<S: tracing::Subscriber> Layer<S> for Messages {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        struct Message(String);
        impl Visit for Message {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        self.0.lock().unwrap().push(message.0);
    }
}

/// The messages that pass a filter.
pub(crate) fn passed(
    filter: impl Filter<Registry> + Send + Sync + 'static,
    program: fn(),
) -> Vec<String> {
    let messages = Messages::default();
    let layer = messages.clone().with_filter(filter);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), program);
    messages.take()
}

pub(crate) fn ours(text: &str) -> LayerFilter {
    text.parse().unwrap()
}

/// The messages that pass our filter, and those that pass `EnvFilter`.
#[track_caller]
fn check(program: fn(), (filter, expected): (&str, &[&str]), (env, shown): (&str, &[&str])) {
    assert_eq!(passed(ours(filter), program), expected, "{filter}");
    let env: EnvFilter = env.parse().unwrap();
    assert_eq!(passed(env, program), shown, "EnvFilter");
}

/// tokio-rs/tracing#1181: `EnvFilter` compares only the fields of spans.
#[test]
fn the_values_of_an_event_decide() {
    fn program() {
        info!(user = "anna", status = 200, "one");
        info!(user = "bob", status = 503, "two");
        info!(status = 500, path = "/health", "three");
    }
    check(
        program,
        ("user=anna", &["one"]),
        ("[{user=anna}]=info", &[]),
    );
    check(
        program,
        ("status>=500 AND NOT path=\"/health*\"", &["two"]),
        ("[{status=503}]=info", &[]),
    );
}

#[test]
fn the_values_of_the_spans_around_an_event_decide() {
    fn program() {
        info_span!("session", user = "anna").in_scope(|| debug!("one"));
        info_span!("session", user = "bob").in_scope(|| debug!("two"));
        let span = info_span!("session", user = tracing::field::Empty);
        span.record("user", "anna");
        span.in_scope(|| debug!("three"));
        info_span!("session", user = "anna")
            .in_scope(|| info_span!("other").in_scope(|| debug!("four")));
    }
    check(
        program,
        ("user=anna", &["one", "three", "four"]),
        ("[{user=anna}]=debug", &["one", "three", "four"]),
    );
}

/// tokio-rs/tracing#3491, #2935: no wildcards in targets, and one field a directive.
#[test]
fn targets_have_wildcards_and_fields_are_joined_by_operators() {
    fn program() {
        info!(target: "app_http", a = 1, b = 1, "one");
        info!(target: "app_db::pool", a = 1, b = 2, "two");
        info!(target: "hyper::client", a = 1, b = 2, "three");
    }
    check(
        program,
        ("target=app_*", &["one", "two"]),
        // A target of EnvFilter is a beginning.
        ("app_=info", &["one", "two"]),
    );
    assert_eq!(
        passed(ours("a=1 AND b=2 AND NOT target=hyper*"), program),
        ["two"]
    );
    assert!("[{a=1,b=2}]=info".parse::<EnvFilter>().is_err());
    assert_eq!(passed(ours("target=*pool"), program), ["two"]);
    assert!("*pool=info".parse::<EnvFilter>().is_err());
}

/// tokio-rs/tracing#1388, #722: the most specific directive wins, which no one sees.
#[test]
fn an_explanation_says_what_decides() {
    fn program() {
        info_span!("session", user = "anna").in_scope(|| {
            info!(target: "noisy::pool", "one");
            warn!("two");
        });
    }
    check(
        program,
        ("user=anna AND NOT target=noisy*", &["two"]),
        ("off,noisy=off,[session{user=anna}]=info", &["one", "two"]),
    );
}

/// tokio-rs/tracing#3371, #2104: wrong text becomes a filter that is never right.
#[test]
fn wrong_text_is_an_error_with_a_position() {
    let error = "status>=500 AN user=anna"
        .parse::<LayerFilter>()
        .unwrap_err();
    let error = error.iter().next().unwrap();
    assert_eq!(error.span(), 12..14);
    for wrong in ["info;debug", "[{a=1}"] {
        assert!(wrong.parse::<LayerFilter>().is_err(), "{wrong}");
    }
    // It is the target `info;debug`, at any level.
    let env: EnvFilter = "info;debug".parse().unwrap();
    assert!(passed(env, || error!("error")).is_empty());
}

/// tokio-rs/tracing#1629: a reloaded `Filtered` layer has lost its filter's number.
#[test]
fn a_replaced_filter_works_at_once() {
    fn program() {
        info!("info");
        error!("error");
    }
    let messages = Messages::default();
    let filter = ours("level=error");
    let handle = filter.handle();
    let layer = messages.clone().with_filter(filter);
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        program();
        assert_eq!(messages.take(), ["error"]);
        handle.set("level=info OR level=error").unwrap();
        program();
        assert_eq!(messages.take(), ["info", "error"]);
        assert!(handle.set("level=").is_err());
        handle.set("level=info").unwrap();
        program();
        assert_eq!(messages.take(), ["info"]);
        assert_eq!(handle.filter().to_string(), r#"("level"="info")"#);
    });
}

#[test]
fn a_reloaded_env_filter_of_a_filtered_layer_panics() {
    let outcome = std::panic::catch_unwind(|| {
        let messages = Messages::default();
        let (layer, handle) =
            reload::Layer::new(messages.clone().with_filter(EnvFilter::new("error")));
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            handle
                .reload(messages.clone().with_filter(EnvFilter::new("info")))
                .unwrap();
            info!("info");
        });
    });
    assert_eq!(outcome.is_err(), cfg!(debug_assertions));
}

/// tokio-rs/tracing#3254: `EnvFilter` shows events only with the spans of their level.
#[test]
fn the_events_of_chosen_spans_can_be_shown_alone() {
    fn program() {
        info_span!("import").in_scope(|| {
            debug!("one");
            info_span!("parse").in_scope(|| debug!("two"));
        });
        info_span!("serve").in_scope(|| debug!("three"));
    }
    check(
        program,
        ("span=import", &["one", "two"]),
        ("[import]=debug", &["one", "two"]),
    );
    check(
        program,
        ("span=import AND NOT span=parse", &["one"]),
        ("[import]=debug,[parse]=off", &["one", "two"]),
    );
}

/// tokio-rs/tracing#291: no rate limit, no sampling.
#[test]
fn a_rate_limit_drops_and_counts_events() {
    let settings = ThrottleSettings {
        rate: NonZeroU32::new(1),
        burst: NonZeroU32::new(3),
        ..ThrottleSettings::default()
    };
    let filter = LayerFilter::throttled("level=info".parse().unwrap(), settings);
    let handle = filter.handle();
    let messages = Messages::default();
    let layer = messages.clone().with_filter(filter);
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..1000 {
            info!("info");
        }
        debug!("debug");
    });
    let shown = messages.take().len() as u64;
    // A slow machine refills the limit meanwhile.
    assert!((3..1000).contains(&shown), "{shown}");
    assert_eq!(handle.dropped().rate_limited, 1000 - shown);
    assert_eq!(handle.dropped().sampled, 0);
}

#[test]
fn a_sample_drops_and_counts_events() {
    let settings = ThrottleSettings {
        sample: NonZeroU32::new(10),
        ..ThrottleSettings::default()
    };
    let filter = LayerFilter::throttled("level=info".parse().unwrap(), settings);
    let handle = filter.handle();
    let messages = Messages::default();
    let layer = messages.clone().with_filter(filter);
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || (0..10_000).for_each(|_| info!("info")));
    let shown = messages.take().len() as u64;
    assert!((700..1300).contains(&shown), "{shown}");
    assert_eq!(handle.dropped().sampled, 10_000 - shown);
}

#[test]
fn filters_of_several_layers_do_not_disturb_each_other() {
    let (one, two) = (Messages::default(), Messages::default());
    let (layer, handle) =
        fantail_tracing::layer("metric m {\n filter = user=anna AND message=*\n}\n").unwrap();
    let subscriber = tracing_subscriber::registry()
        .with(one.clone().with_filter(ours("level=error")))
        .with(layer)
        .with(two.clone().with_filter(EnvFilter::new("debug")))
        .with(Messages::default().with_filter(ours("user=bob")));
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::trace_span!("session", user = "anna");
        span.in_scope(|| {
            info!("info");
            error!("error");
            tracing::trace!("trace");
        });
    });
    assert_eq!(one.take(), ["error"]);
    assert_eq!(two.take(), ["info", "error"]);
    assert_eq!(crate::samples(&handle)[0], "m_total 3");
}
