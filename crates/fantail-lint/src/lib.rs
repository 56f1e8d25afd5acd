//! Checks of a configuration with the events that Dovecot really sends.
//!
//! - [`Catalogue`]: the events, their fields with types and versions, the
//!   categories and reason codes. Compiled in as text, read in once.
//! - [`check`]: a configuration that was loaded, against the catalogue:
//!   [`Finding`]s, each with a stable [`LintCode`], a position and a remedy.
//! - [`check_reader`]: settings that only fantail knows, in files of Dovecot.
//! - [`diagnose`]: what is wrong with an installation, by [`Facts`] that the caller has
//!   gathered, each finding with a stable [`DoctorCode`].
//! - [`translate`](fn@translate): settings of one series of Dovecot for the other.
//! - [`Trial`]: the metrics against events that were recorded: which of them
//!   match nothing, and which term of the filter is to blame.
//! - [`Catalogue::make`]: events that a person wrote, with the types that
//!   Dovecot would send.
//!
//! What is deliberately absent: errors that need no knowledge of events (they
//! are `fantail-config`'s and `fantail-filter`'s); drawing (`fantail-config`
//! draws both); any I/O: who may read a file, the caller says.
//!
//! ```
//! use fantail_lint::{Catalogue, check};
//!
//! let text = "metric failed {\n  filter = event=auth_request_finished AND success=no\n}\n";
//! let loaded = fantail_config::load_text("dovecot.conf", text, &Default::default());
//! let findings = check(&loaded, &Catalogue::new(), &|_| false);
//! assert_eq!(
//!     findings[0].to_line(&loaded.sources),
//!     "dovecot.conf:2:52: warning[lint/value-never-sent]: `success` is never `no`",
//! );
//! ```

#![forbid(unsafe_code)]

mod candidates;
mod catalogue;
mod check;
mod code;
mod doctor;
mod finding;
mod translate;
mod trial;
mod written;

pub use crate::{
    catalogue::{Catalogue, CatalogueEvent, Category, Field, FieldType},
    check::{Reader, check, check_crashes, readers::check_reader},
    code::LintCode,
    doctor::{
        DeliveryAgent, DoctorCode, DovecotFacts, ExporterFacts, Facts, LogFacts, LogProblem,
        MetricCount, Probe, ScrapeFacts, ServerFacts, SocketAccess, SocketFacts, SocketOwner,
        SocketRole, SocketState, UnitFacts, diagnose, probe, rank,
    },
    finding::Finding,
    translate::{Translation, translate},
    trial::{Failing, Outcome, Trial},
    written::{MakeError, MakeErrorKind},
};
