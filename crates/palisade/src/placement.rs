//! From choices to placements.

use palisade_core::backend::Placement;
#[cfg(feature = "iptables")]
use palisade_iptables::run::Programs;

use crate::backends;
use crate::choice::{BackendChoice, Choice};

impl Choice {
    /// The choice that a recorded placement came from; `None` if this build cannot read the placement.
    fn recorded(placement: &Placement) -> Option<Self> {
        let kind = backends::of(placement)?;
        Some(Self {
            backend: Some(kind.choice()),
            ..kind.recorded(placement)?
        })
    }

    /// The placement of a network: by this choice, then by where the network runs, then by the
    /// configuration. `auto` chooses no backend: a running network stays where it is, and a new one
    /// gets the `usual` backend.
    pub(crate) fn placement(
        &self,
        running: Option<&Placement>,
        configured: &Self,
        usual: impl FnOnce() -> Self,
    ) -> Placement {
        let named = |choice: &Self| Self {
            backend: choice
                .backend
                .filter(|&backend| backend != BackendChoice::Auto),
            // `auto` chooses no programs either.
            #[cfg(feature = "iptables")]
            iptables: choice
                .iptables
                .filter(|&programs| programs != Programs::Auto),
            ..choice.clone()
        };
        let explicit = named(self);
        let running = running.and_then(Self::recorded);
        // A network that moves keeps no settings of its old backend. When established connections
        // are accepted is not such a setting.
        let kept = Self {
            established: running.as_ref().and_then(|running| running.established),
            ..Self::default()
        };
        let moves = |running: &Self| {
            explicit
                .backend
                .is_some_and(|backend| running.backend != Some(backend))
        };
        match running.filter(|running| !moves(running)) {
            Some(running) => explicit.or(&running).settle(),
            None => {
                let chosen = explicit.or(&kept).or(&named(configured));
                if chosen.backend.is_some() {
                    chosen.settle()
                } else {
                    chosen.or(&usual()).settle()
                }
            }
        }
    }

    /// With the defaults where nothing was chosen.
    fn settle(&self) -> Placement {
        backends::chosen_or_default(self).placement(self)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "iptables")]
    use palisade_core::network::Established;
    use palisade_nft::layout::Layout;

    use super::*;

    fn choice(backend: &str, layout: Option<Layout>) -> Choice {
        Choice {
            backend: Some(backend.parse().unwrap()),
            layout,
            ..Choice::default()
        }
    }

    #[test]
    fn only_an_explicit_choice_moves_a_running_network() {
        let usual = Choice::default;
        let none = Choice::default();
        let flat = choice("nftables", Some(Layout::Flat));
        let running = flat.placement(None, &none, usual);
        assert_eq!(running.setting("layout"), Some("flat"));
        let configured = choice("nftables", Some(Layout::Mapped));
        assert_eq!(none.placement(Some(&running), &configured, usual), running);
        let auto = choice("auto", None);
        assert_eq!(auto.placement(Some(&running), &configured, usual), running);
        let moved =
            choice("nftables", Some(Layout::Mapped)).placement(Some(&running), &none, usual);
        assert_eq!(moved.setting("layout"), Some("mapped"));
        let unruled = choice("none", None).placement(Some(&running), &configured, usual);
        assert_eq!(unruled.backend.name(), "none");
        assert_eq!(none.placement(Some(&unruled), &configured, usual), unruled);
    }

    #[cfg(feature = "iptables")]
    #[test]
    fn established_stays_with_a_network_that_moves() {
        let usual = Choice::default;
        let none = Choice::default();
        let of = |established| Choice {
            established: Some(established),
            ..Choice::default()
        };
        let first = of(Established::First);
        let running = choice("nftables", None)
            .or(&first)
            .placement(None, &none, usual);
        assert_eq!(running.established(), Ok(Established::First));
        assert_eq!(none.placement(Some(&running), &none, usual), running);
        let configured = of(Established::InTurn);
        assert_eq!(none.placement(Some(&running), &configured, usual), running);
        let moved = choice("iptables", None).placement(Some(&running), &configured, usual);
        assert_eq!(moved.established(), Ok(Established::First));
        let back = of(Established::InTurn).placement(Some(&running), &first, usual);
        assert_eq!(back.setting(Placement::ESTABLISHED), None);
        assert_eq!(none.placement(Some(&back), &first, usual), back);
        assert_eq!(none.placement(None, &first, usual), running);
        let unruled = choice("none", None).or(&first);
        let unruled = unruled.placement(None, &none, usual);
        // A network without rules has no such choice to keep.
        assert_eq!(unruled.setting("established"), None);
        let ruled = choice("nftables", None).placement(Some(&unruled), &first, usual);
        assert_eq!(ruled.established(), Ok(Established::First));
    }

    #[cfg(feature = "iptables")]
    #[test]
    fn a_network_that_moves_keeps_no_settings_of_its_old_backend() {
        let usual = || choice("iptables", None);
        let none = Choice::default();
        assert_eq!(
            none.placement(None, &none, usual).backend.name(),
            "iptables"
        );
        let legacy = Choice {
            iptables: Some("legacy".parse().unwrap()),
            ..choice("iptables", None)
        };
        let running = legacy.placement(None, &none, usual);
        assert_eq!(running.setting("programs"), Some("legacy"));
        assert_eq!(none.placement(Some(&running), &none, usual), running);
        let moved = choice("nftables", None).placement(Some(&running), &none, usual);
        assert_eq!(moved.setting("layout"), Some("mapped"));
    }
}
