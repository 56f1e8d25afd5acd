//! The engine: events update metrics and go to exporters.
//!
//! An [`Engine`] runs a configuration. [`Engine::handle`] handles one event,
//! and [`Engine::step`] an activity of a client: each metric whose filter
//! matches is updated, exporters' payloads go to an [`ExportSink`], and at the
//! end of a session an event with its summary is derived. A [`Plan`] is a
//! compiled configuration, which several engines share; [`Sharded`] contains
//! engines for several threads. The engine opens no socket and no file and
//! reads no clock: its caller passes the time.
//!
//! ```
//! use fantail_config::{LoadOptions, load_text};
//! use fantail_engine::{Engine, Exported};
//! use fantail_event::{Dialect, Event, SentEvent, Timestamp};
//! use fantail_format::ExportContext;
//!
//! let text = "event_exporter lines {\n format = json\n format_args = time-unix\n\
//!             transport = log\n}\n\
//!             metric logins {\n filter = event=login_finished\n exporter = lines\n\
//!             exporter_include = name fields\n}\n";
//! let options = LoadOptions { dialect: Some(Dialect::V2_3), ..LoadOptions::default() };
//! let settings = load_text("fantail.conf", text, &options).accept()?.settings;
//! let mut engine = Engine::new(&settings)?;
//!
//! let received_at = Timestamp::from_unix_micros(1_795_328_191_000_000);
//! let event = Event::builder(received_at)
//!     .name("login_finished")
//!     .field("user", "anna")
//!     .build()?;
//! let mut lines = Vec::new();
//! engine.handle(
//!     &SentEvent::alone(&event),
//!     ExportContext { host: b"mail1", received_at },
//!     &mut |exported: Exported<'_>| lines.push(exported.payload.to_vec()),
//! );
//! assert_eq!(lines, [br#"{"event":"login_finished","fields":{"user":"anna","duration":0}}"#]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod cohort_cache;
mod engine;
mod export;
#[cfg(feature = "exporters")]
pub mod exporters;
mod matching;
mod observers;
mod plan;
mod series;
mod sessions;
mod sharded;

/// Counting events whose values lie by slot.
///
/// For other crates of this workspace; not part of the stable interface.
#[doc(hidden)]
pub mod internal {
    pub use crate::{
        engine::values::{SlotPlan, ValueCounter},
        matching::CountedEvent,
    };
}

pub use crate::{
    engine::{Counters, Engine},
    export::{ExportSink, Exported, ExporterId, ObserverId},
    plan::{Plan, PlanError, PlanErrorKind},
    sessions::{RunningSessions, SESSION_FINISHED, SESSION_SERVICES, SessionRules},
    sharded::{ShardGuard, Sharded},
};
