//! What backends and layouts have for a family of packets, beside the rules that it is made of.

use std::ops::ControlFlow;

use palisade::{BackendChoice, Choice, backends};
use palisade_core::evaluate::{
    Conditions, Difference, Ground, Meaning, Packet, Reading, each_class,
};
use palisade_core::network::{Family, Network};

use super::comparison::{CompareError, Comparison, Disagreement, Documented, Side, TOLD, View};

/// What backends and layouts have for a family of packets: as they make it of networks, or as it was
/// read back from a kernel.
#[derive(Clone)]
pub struct Sides<'a> {
    /// The family.
    pub family: Family,
    /// What it is meant to be.
    pub meaning: &'a Meaning,
    /// nf_tables in the layout `flat`.
    pub flat: Ground<'a>,
    /// nf_tables in the layout `mapped`.
    pub mapped: Ground<'a>,
    /// iptables.
    pub iptables: Ground<'a>,
}

impl<'a> Sides<'a> {
    /// What these networks, whose meaning this is, become, started in this order where nothing else is
    /// installed.
    #[must_use]
    pub fn of(networks: &[Network], meaning: &'a Meaning, family: Family) -> Self {
        let planned = |backend, layout: Option<&str>| {
            let choice = Choice {
                backend: Some(backend),
                layout: layout.and_then(|layout| layout.parse().ok()),
                ..Choice::default()
            };
            backends::planned(networks, &choice, family)
        };
        Self {
            family,
            meaning,
            flat: planned(BackendChoice::Nftables, Some("flat")),
            mapped: planned(BackendChoice::Nftables, Some("mapped")),
            iptables: planned(BackendChoice::Iptables, None),
        }
    }

    /// Sends one packet of each class through all of it.
    ///
    /// # Errors
    /// If a rule asks for something else than the fields of a packet: then classes of packets do
    /// not say all.
    pub fn compare(&self) -> Result<Comparison, CompareError> {
        self.compare_until(|_| ControlFlow::Continue(()))
    }

    /// The first packet that is treated otherwise than documented; none if there is none.
    ///
    /// # Errors
    /// As for [`compare`](Self::compare).
    pub fn first_disagreement(&self) -> Result<Option<Disagreement>, CompareError> {
        let comparison = self.compare_until(|comparison| match comparison.disagreements {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        })?;
        Ok(comparison.examples.into_iter().next())
    }

    fn compare_until(
        &self,
        is_enough: impl Fn(&Comparison) -> ControlFlow<()>,
    ) -> Result<Comparison, CompareError> {
        let rules = Ground::of(Reading::InOrder.of(&self.meaning.as_defined));
        let judges = Judges {
            meaning: self.meaning,
            service: rules.clone().closed(),
            rules,
            guarded: Ground::of(Reading::BothAgree.of(&self.meaning.every_bridge)),
            closed: self.iptables.clone().closed(),
            sides: self,
        };
        let conditions = judges.conditions(self.family)?;
        let mut comparison = Comparison::default();
        each_class(&conditions, self.family, &mut |packet| {
            judges.judge(packet, &mut comparison);
            is_enough(&comparison)
        });
        Ok(comparison)
    }
}

/// Everything, laid out so that packets find their way quickly.
struct Judges<'a> {
    meaning: &'a Meaning,
    rules: Ground<'a>,
    guarded: Ground<'a>,
    sides: &'a Sides<'a>,
    service: Ground<'a>,
    closed: Ground<'a>,
}

impl Judges<'_> {
    fn side(&self, side: Side) -> &Ground<'_> {
        match side {
            Side::Rules => &self.rules,
            Side::GuardedRules => &self.guarded,
            Side::Flat => &self.sides.flat,
            Side::Mapped => &self.sides.mapped,
            Side::Iptables => &self.sides.iptables,
            Side::Service => &self.service,
            Side::ClosedIptables => &self.closed,
        }
    }

    /// Everything that any side matches.
    fn conditions(&self, family: Family) -> Result<Conditions, CompareError> {
        use Side::{Flat, GuardedRules, Iptables, Mapped, Rules};
        let mut all = Conditions::default();
        for side in [Rules, GuardedRules, Flat, Mapped, Iptables] {
            let (conditions, unknown) = self.side(side).conditions(family);
            if let Some(source) = unknown.into_iter().next() {
                return Err(CompareError::Unknown { side, source });
            }
            all.extend(conditions);
        }
        Ok(all)
    }

    fn judge(&self, packet: &Packet, comparison: &mut Comparison) {
        use Side::{ClosedIptables, Flat, GuardedRules, Iptables, Mapped, Rules, Service};
        let [rules, guarded, flat, mapped, iptables] =
            [Rules, GuardedRules, Flat, Mapped, Iptables].map(|side| self.side(side).fate(packet));
        comparison.packets += 1;
        let mut is_disagreed = false;
        for (one, other, is_same) in [
            (Rules, Flat, rules == flat),
            (Rules, Iptables, rules == iptables),
            (GuardedRules, Mapped, guarded == mapped),
            (Service, ClosedIptables, self.is_service_alike(packet)),
        ] {
            if !is_same {
                is_disagreed = true;
                self.tell(packet, [one, other], comparison);
            }
        }
        if flat != mapped {
            match Difference::between(self.meaning, packet, &flat, &mapped) {
                Some(difference) => self.note(packet, difference, comparison),
                None if is_disagreed => {}
                None => {
                    is_disagreed = true;
                    self.tell(packet, [Flat, Mapped], comparison);
                }
            }
        }
        comparison.disagreements += usize::from(is_disagreed);
    }

    /// Whether a service of the host is open in iptables if rules open it, and not otherwise. A host
    /// without any table of iptables in the packet's family drops nothing there.
    fn is_service_alike(&self, packet: &Packet) -> bool {
        packet.is_forwarded()
            || self.service.fate(packet) == self.closed.fate(packet)
            || self.closed.alone(packet).next().is_none()
    }

    fn tell(&self, packet: &Packet, sides: [Side; 2], comparison: &mut Comparison) {
        if comparison.examples.len() < TOLD {
            comparison.examples.push(self.disagreement(packet, sides));
        }
    }

    fn note(&self, packet: &Packet, difference: Difference, comparison: &mut Comparison) {
        match comparison.documented(difference) {
            Some(known) => known.packets += 1,
            None => comparison.documented.push(Documented {
                difference,
                packets: 1,
                example: self.disagreement(packet, [Side::Flat, Side::Mapped]),
            }),
        }
    }

    fn disagreement(&self, packet: &Packet, sides: [Side; 2]) -> Disagreement {
        Disagreement {
            packet: packet.clone(),
            sides: sides.map(|side| View::of(side, self.side(side).evaluate(packet))),
        }
    }
}
