//! Which kinds of networks run side by side.

use palisade_core::evaluate::Difference;
use palisade_tests::Chance;

use crate::member::{KINDS, Kind};

/// A set, and the documented differences that packets must show there between `flat` and `mapped`.
pub(crate) struct Set {
    pub(crate) kinds: &'static [&'static str],
    pub(crate) shows: &'static [Difference],
}

use Difference::{BothMustAgree, BridgeUntranslated, EveryBridgeGuarded, NoForgedSource};

pub(crate) const SETS: [Set; 9] = [
    Set {
        kinds: &["nat-default", "isolated", "route-default"],
        shows: &[
            BothMustAgree,
            EveryBridgeGuarded,
            NoForgedSource,
            BridgeUntranslated,
        ],
    },
    Set {
        kinds: &["nat-port-range", "nat-ipv6", "route-default"],
        shows: &[EveryBridgeGuarded, NoForgedSource, BridgeUntranslated],
    },
    Set {
        kinds: &["nat-no-dhcp", "nat-tftp", "isolated", "isolated"],
        shows: &[
            BothMustAgree,
            EveryBridgeGuarded,
            NoForgedSource,
            BridgeUntranslated,
        ],
    },
    Set {
        kinds: &["route-default", "route-default", "nat-ipv6"],
        shows: &[EveryBridgeGuarded, NoForgedSource, BridgeUntranslated],
    },
    Set {
        kinds: &["nat-range", "route-dual", "quiet4"],
        shows: &[BothMustAgree, EveryBridgeGuarded, NoForgedSource],
    },
    Set {
        kinds: &["nat-dual", "route-bound", "quiet-dual", "open"],
        shows: &[EveryBridgeGuarded, NoForgedSource, BridgeUntranslated],
    },
    Set {
        kinds: &["nat-bound", "nat-default", "quiet4", "route-dual"],
        shows: &[
            BothMustAgree,
            EveryBridgeGuarded,
            NoForgedSource,
            BridgeUntranslated,
        ],
    },
    Set {
        kinds: &["quiet-dual", "nat-twin", "nat-addresses"],
        shows: &[NoForgedSource, BridgeUntranslated],
    },
    Set {
        kinds: &[
            "nat-twin",
            "route-dual",
            "route-bound",
            "nat-range",
            "quiet-dual",
            "nat-addresses",
        ],
        shows: &[
            BothMustAgree,
            EveryBridgeGuarded,
            NoForgedSource,
            BridgeUntranslated,
        ],
    },
];

/// Two to five of any kinds.
pub(crate) fn random(chance: &mut Chance) -> Vec<Kind> {
    let count = 2 + chance.below(4);
    (0..count).map(|_| *chance.one_of(&KINDS)).collect()
}
