//! Heavy hitters as bytes.

use super::{HeavyHitters, MAX_KEY_BYTES};
use crate::{
    Top,
    encoding::{Decoder, Encoder, Malformed},
};

impl HeavyHitters {
    pub(crate) fn save(&self, out: &mut Encoder) {
        out.numbers(&[self.total, self.threshold, self.len() as u64]);
        for (key, (counted, error)) in self.counters.iter() {
            out.string(key);
            out.numbers(&[counted, error]);
        }
    }

    /// Decodes what [`save`](Self::save) wrote. All bounds of a summary hold for the
    /// result.
    pub(crate) fn load(top: &Top, from: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let mut loaded = Self::new(top);
        let length;
        [loaded.total, loaded.threshold, length] = from.numbers()?;
        let mut sum = 0_u64;
        for _ in 0..length {
            let key = from.string()?;
            let [counted, error] = from.numbers()?;
            sum = sum.saturating_add(counted);
            let at_most = counted.saturating_add(error);
            let is_above = at_most >= loaded.threshold && counted > 0;
            let is_bounded = error <= loaded.threshold && is_above;
            let hash = loaded.counters.hash(key);
            let is_new = loaded.counters.find_mut(hash, key).is_none();
            if !is_bounded || !is_new || key.is_empty() || key.len() > MAX_KEY_BYTES {
                return Err(Malformed);
            }
            if !loaded.counters.fits(key.len()) {
                let room = loaded.counters.room();
                loaded
                    .counters
                    .add_room(room.min(loaded.max_counters - room));
            }
            if !loaded.counters.fits(key.len()) {
                return Err(Malformed);
            }
            loaded.counters.push(hash, key, (counted, error));
        }
        if sum > loaded.total {
            return Err(Malformed);
        }
        Ok(loaded)
    }
}
