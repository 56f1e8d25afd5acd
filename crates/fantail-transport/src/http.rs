//! `http-post`: requests to an HTTP server.
//!
//! One event a request, as Dovecot does it, or many. Connections are kept.
//! What the server answers decides ([`answer`]); what it refuses for good can
//! be kept in a file.
//!
//! The settings are always there, the transport with the feature `http`.

#[cfg(feature = "http")]
mod answer;
#[cfg(feature = "http")]
mod body;
#[cfg(feature = "http")]
mod client;
#[cfg(feature = "http")]
mod credentials;
#[cfg(feature = "http")]
mod post;
mod settings;

#[cfg(feature = "http")]
pub use self::post::HttpTransport;
pub use self::settings::{HttpBatch, HttpSettings};
