//! Encoding a distribution as bytes, and decoding it.
//!
//! Exact values are written, and the statistics are computed from them. A
//! sketch is written as its bins and the exact moments. Decoding checks bins,
//! bounds and moments for contradictions.

use super::{
    Distribution, Storage,
    bins::{BINS, bin_of},
    heap_values::{HeapValues, Values},
    moments::Moments,
    sketch::Sketch,
};
use crate::encoding::{Decoder, Encoder, Malformed};

/// Marks a sketch. Exact values begin with twice their number instead.
const SKETCH: u64 = 1;

impl Distribution {
    pub(crate) fn save(&self, out: &mut Encoder) {
        let sketched = self.sketched();
        let sketch = sketched.as_deref().and_then(HeapValues::sketch);
        let (Some(heap), Some(sketch)) = (&sketched, sketch) else {
            out.number(2 * self.count());
            let mut previous = 0;
            self.for_each_exact(|value| {
                out.difference(previous, value);
                previous = value;
            });
            return;
        };
        out.number(SKETCH);
        out.numbers(&heap.moments.limbs());
        out.numbers(&[heap.min, heap.max]);
        out.number(sketch.counts().count() as u64);
        let mut next = 0;
        for (bin, count) in sketch.counts() {
            out.numbers(&[(bin - next) as u64, count]);
            next = bin + 1;
        }
    }

    pub(crate) fn load(from: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let head = from.number()?;
        if head == SKETCH {
            return Self::load_sketch(from);
        }
        if head % 2 == 1 || head > 2 * Self::EXACT_VALUES {
            return Err(Malformed);
        }
        let mut distribution = Self::new();
        let mut value = 0;
        for _ in 0..head / 2 {
            value = from.difference(value)?;
            distribution.record(value);
        }
        Ok(distribution)
    }

    fn load_sketch(from: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let limbs = from.numbers::<6>()?;
        let [min, max] = from.numbers()?;
        let moments = Moments::from_limbs(limbs, min, max).ok_or(Malformed)?;
        let mut sketch = Sketch::new();
        let (mut next, mut total) = (0_usize, 0_u64);
        let (mut first, mut last) = (None, None);
        for _ in 0..from.number()? {
            let [skipped, count] = from.numbers()?;
            let skipped = usize::try_from(skipped).map_err(|_| Malformed)?;
            let bin = next.checked_add(skipped).filter(|bin| *bin < BINS);
            let bin = bin.ok_or(Malformed)?;
            if count == 0 {
                return Err(Malformed);
            }
            sketch.add(bin, count);
            total = total.saturating_add(count);
            first = first.or(Some(bin));
            last = Some(bin);
            next = bin + 1;
        }
        let ends = first == Some(bin_of(min)) && last == Some(bin_of(max));
        let heap = total > Self::EXACT_VALUES && total == moments.count();
        if min > max || !ends || !heap {
            return Err(Malformed);
        }
        let storage = Storage::of_heap(HeapValues {
            moments,
            min,
            max,
            values: Values::Sketch(sketch),
        });
        Ok(Self { storage })
    }
}
