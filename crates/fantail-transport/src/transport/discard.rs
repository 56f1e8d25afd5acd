//! `drop`: nowhere.

use crate::{Transport, TransportError};

/// Takes payloads and forgets them, for measuring what formatting costs.
#[derive(Debug, Default, Clone, Copy)]
pub struct DropTransport;

impl Transport for DropTransport {
    fn send(&mut self, _payload: &[u8]) -> Result<(), TransportError> {
        Ok(())
    }
}
