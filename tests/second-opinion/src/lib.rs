//! A second opinion on palisade's wire format.
//!
//! Our encoder and our decoder could agree with each other and both be wrong. rustables was
//! written by others, from other sources; what its types can express of our objects is translated
//! here, and its tests have our decoder read the bytes that rustables makes of it.

mod expression;
mod family;
mod object;

pub use expression::expression;
pub use object::{chain, elements, rule, set, table};

#[cfg(test)]
mod tests;
