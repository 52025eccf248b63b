//! The sizes at which each cost is counted.

/// How many networks there are, or are there already.
pub(crate) const SIZES: [u32; 3] = [1, 100, 1_000];
