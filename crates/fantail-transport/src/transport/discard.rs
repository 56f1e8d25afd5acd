//! The transport `drop`.

use crate::{Transport, TransportError};

/// Discards payloads; used to measure the cost of formatting.
#[derive(Debug, Default, Clone, Copy)]
pub struct DropTransport;

impl Transport for DropTransport {
    fn send(&mut self, _payload: &[u8]) -> Result<(), TransportError> {
        Ok(())
    }
}
