//! A text buffer that reserves its memory.

use std::io;

use super::{Budget, Reservation};

/// A text buffer that reserves its memory from a budget.
#[derive(Debug)]
pub(crate) struct ReservedText {
    text: Vec<u8>,
    reservation: Reservation,
}

impl ReservedText {
    /// The minimum growth of the buffer.
    const MIN_GROWTH_BYTES: usize = 64 << 10;

    pub(crate) fn new(budget: &Budget) -> Self {
        Self {
            text: Vec::new(),
            reservation: budget.reserve_anyway(0),
        }
    }

    /// Reserves the memory of a text; returns `None` if the budget has none.
    pub(crate) fn of(text: Vec<u8>, budget: &Budget) -> Option<Self> {
        let mut reservation = budget.reserve_anyway(0);
        let fits = reservation.grow(text.capacity());
        fits.then_some(Self { text, reservation })
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// Fails if the budget has no more memory.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        let free = self.text.capacity() - self.text.len();
        if bytes.len() > free {
            let growth = (self.text.len() / 4).max(Self::MIN_GROWTH_BYTES);
            let growth = growth.max(bytes.len() - free);
            if !self.reservation.grow(growth) {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            self.text.reserve_exact(free + growth);
        }
        self.text.extend_from_slice(bytes);
        Ok(())
    }
}

impl AsRef<[u8]> for ReservedText {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::ReservedText;
    use crate::memory::Budget;

    #[test]
    fn a_text_reserves_what_it_has_allocated() {
        let budget = Budget::new(1 << 20);
        let mut text = ReservedText::new(&budget);
        text.push(&[0; 100_000]).unwrap();
        assert!(budget.used() >= 100_000);
        assert!(text.push(&[0; 1 << 20]).is_err());
        assert_eq!(text.as_ref().len(), 100_000);
        let whole = ReservedText::of(vec![0; 500_000], &budget).unwrap();
        assert!(ReservedText::of(vec![0; 500_000], &budget).is_none());
        drop((text, whole));
        assert_eq!(budget.used(), 0);
    }
}
