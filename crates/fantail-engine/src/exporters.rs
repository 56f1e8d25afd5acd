//! From the settings of an exporter to what sends its events.
//!
//! ```no_run
//! use fantail_config::{Options, load_text};
//! use fantail_engine::exporters;
//! use fantail_transport::Queue;
//!
//! let text = "event_exporter audit {\n format = json\n transport = file\n\
//!             file_path = /var/log/audit.json\n}\n";
//! let settings = load_text("fantail.conf", text, &Options::default()).accept()?.settings;
//! for exporter in &settings.exporters {
//!     let name = String::from_utf8_lossy(&exporter.name);
//!     let transport = exporters::transport(exporter, b"mail1")?;
//!     let queue = Queue::builder(&*name, transport)
//!         .settings(exporters::queue_settings(&exporter.delivery))
//!         .start()?;
//!     queue.close(std::time::Duration::from_secs(5));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod delivery;
mod target;

pub use self::{
    delivery::{discards, queue_settings, spool_folder, throttle},
    target::transport,
};
