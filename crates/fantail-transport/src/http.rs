//! The transport `http-post`: requests to an HTTP server.
//!
//! A request has one event, as Dovecot's, or many. Connections are kept open.
//! The status of the response ([`answer`]) decides what happens to the events.
//!
//! The settings are always available, the transport with the feature `http`.

#[cfg(feature = "http")]
mod answer;
#[cfg(feature = "http")]
mod body;
#[cfg(feature = "http")]
mod client;
#[cfg(feature = "http")]
mod credentials;
#[cfg(feature = "http")]
mod otlp;
#[cfg(feature = "http")]
mod post;
#[cfg(feature = "http")]
mod poster;
mod settings;

#[cfg(feature = "http")]
pub use self::answer::Retries;
#[cfg(feature = "http")]
pub use self::client::tls;
#[cfg(feature = "http")]
pub use self::post::{HttpTransport, connect_by};
#[cfg(feature = "http")]
pub use self::poster::HttpPoster;
pub use self::settings::{HttpBatch, HttpSettings};
