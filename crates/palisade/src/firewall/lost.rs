//! Which networks without a record a change is about.

use palisade_core::backend::Placement;
use palisade_core::engine::Adoption;
use palisade_core::network::Network;

/// Which networks without a record are adopted before a change, where nothing is recorded.
#[derive(Clone, Copy)]
pub(super) enum Lost<'n> {
    /// These, which are defined so.
    Of(&'n [Network]),
    /// These, and all others.
    Beside(&'n [Network]),
}

impl<'n> Lost<'n> {
    pub(super) fn adoption<'a>(self, is_meant: &'a dyn Fn(&Placement) -> bool) -> Adoption<'a>
    where
        'n: 'a,
    {
        let (definitions, takes_others) = match self {
            Self::Of(networks) => (networks, false),
            Self::Beside(networks) => (networks, true),
        };
        Adoption {
            definitions,
            takes_others,
            // Who may not read rules installed none, and else the change itself fails.
            passes_over: true,
            is_meant,
        }
    }
}
