//! Seeded chance: the same seed and number always make the same input.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// A seed for a run that was given none.
pub(crate) fn seed_of_now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |since| u64::from(since.subsec_nanos()) ^ since.as_secs())
}

/// A source of choices.
pub(crate) struct Dice(StdRng);

impl Dice {
    /// The choices of one input of a run: inputs do not depend on those before them.
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        // Splitting by an odd constant keeps neighbouring numbers apart.
        Self(StdRng::seed_from_u64(
            seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15),
        ))
    }

    /// True in so many of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    /// A number from 0 to below the limit.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0.random_range(0..limit.max(1))
    }

    /// One of several. The slice must not be empty.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        let at = self.below(from.len());
        from.get(at).expect("there is something to pick from")
    }

    /// One item of a list, `None` of an empty one.
    pub(crate) fn one<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() {
            return None;
        }
        from.get(self.below(from.len()))
    }
}
