//! Parts below the backend, for palisade's own tests and benchmarks alone.
//!
//! They compare bytes with other encoders, build tables that no layout has, and measure single
//! steps. Programs that embed palisade need none of this: it is hidden from the documentation and
//! changes with any version.

pub use crate::batch::{At, Batch, CommitError, commit};
pub use crate::layout::{Item, KEYWORDS, omission};
pub use crate::lift::{Lifted, lift, lift_standing};

/// Messages in bytes.
pub mod wire {
    pub use crate::wire::{Kind, Message, batch_begin, messages};

    /// Bodies of messages about tables.
    pub mod table {
        pub use crate::wire::table::decode;
    }

    /// Bodies of messages about chains.
    pub mod chain {
        pub use crate::wire::chain::decode;
    }

    /// Bodies of messages about rules.
    pub mod rule {
        pub use crate::wire::rule::decode;
    }

    /// Bodies of messages about sets.
    pub mod set {
        pub use crate::wire::set::decode;
    }

    /// Bodies of messages about elements.
    pub mod element {
        pub use crate::wire::element::{decode, each, encode};
    }
}
