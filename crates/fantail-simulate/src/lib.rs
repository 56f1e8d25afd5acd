//! Simulation of queues, spools, files and counts over a stream, from a seed.
//!
//! The code that is run is that of the product; only the system below it
//! ([`system`]) is simulated: a disk that knows what is safe ([`disk`]), clocks and
//! random numbers ([`world`]). A [`Scenario`] drives a part of the product, stops
//! the machine at any call, and checks what was promised. A [`Fault`] is planted to
//! show that the simulation finds it.
//!
//! ```
//! use fantail_simulate::Scenario;
//!
//! assert!(Scenario::Spool.run(7, None, false).is_ok());
//! ```

mod broken;
pub mod call;
pub mod disk;
mod fault;
pub mod payload;
mod scenario;
pub mod system;
pub mod world;

pub use crate::{
    broken::Broken,
    fault::Fault,
    scenario::{Failure, Scenario},
};
