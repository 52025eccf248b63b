//! What backends and layouts have for a family of packets, beside the rules that it is made of.

use std::ops::ControlFlow;

use palisade_core::evaluate::{
    Conditions, Difference, Fate, Meaning, Nat, Outcome, Packet, Reading, Verdict, Way, each_class,
    evaluate, fate,
};
use palisade_core::network::{Family, Network};
use palisade_core::rules::Role;
use palisade_iptables::evaluate::Tables as Saved;
use palisade_iptables::text;
use palisade_nft::conditions::conditions;
use palisade_nft::evaluate::{self as nft, Tables};
use palisade_nft::layout::{Layout, TableName};
use palisade_nft::program::Program;

use super::{CompareError, Comparison, Disagreement, Documented, Side, TOLD, View};

/// What backends and layouts have for a family of packets: as they make it of networks, or as it was
/// read back from a kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lowered {
    /// The family.
    pub family: Family,
    /// What it is meant to be.
    pub meaning: Meaning,
    /// The table of the layout `flat`, if there is one.
    pub flat: Option<Program>,
    /// The table of the layout `mapped`, if there is one.
    pub mapped: Option<Program>,
    /// The tables of iptables.
    pub saved: Vec<text::Table>,
}

impl Lowered {
    /// What these networks become, started in this order where nothing else stands.
    #[must_use]
    pub fn of(networks: &[Network], family: Family) -> Self {
        let program = |layout| {
            let placed: Vec<(Layout, &Network)> = networks.iter().map(|n| (layout, n)).collect();
            Program::of(&TableName::default(), family, &placed)
        };
        Self {
            family,
            meaning: Meaning::of(networks),
            flat: program(Layout::Flat),
            mapped: program(Layout::Mapped),
            saved: palisade_iptables::backend::tables(networks, family),
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
        let judges = Judges {
            meaning: &self.meaning,
            flat: Tables::of(&self.flat),
            mapped: Tables::of(&self.mapped),
            saved: Saved::of(self.family, &self.saved),
            closed: Saved::of(self.family, &closed(&self.saved)),
        };
        let conditions = self.conditions(&judges.saved)?;
        let mut comparison = Comparison::default();
        each_class(&conditions, self.family, &mut |packet| {
            judges.judge(packet, &mut comparison);
            is_enough(&comparison)
        });
        Ok(comparison)
    }

    /// Everything that anyone asks of packets.
    fn conditions(&self, saved: &Saved) -> Result<Conditions, CompareError> {
        let mut all = Conditions::of(&self.meaning.as_defined, self.family);
        all.extend(Conditions::of(&self.meaning.every_bridge, self.family));
        for (side, program) in [(Side::Flat, &self.flat), (Side::Mapped, &self.mapped)] {
            if let Some(program) = program {
                let asked = conditions(program);
                all.extend(asked.map_err(|source| CompareError::Nftables { side, source })?);
            }
        }
        all.extend(saved.conditions()?);
        Ok(all)
    }
}

/// The same tables on a host that drops whatever nobody accepts, coming in or going out: there it
/// shows which of the host's services rules open.
pub(crate) fn closed(saved: &[text::Table]) -> Vec<text::Table> {
    let mut closed = saved.to_vec();
    if !closed.iter().any(|table| table.name == "filter") {
        closed.push(text::Table {
            name: "filter".to_owned(),
            ..text::Table::default()
        });
    }
    for table in closed.iter_mut().filter(|table| table.name == "filter") {
        table
            .chains
            .retain(|chain| !matches!(chain.name.as_str(), "INPUT" | "OUTPUT"));
        table
            .chains
            .extend(["INPUT", "OUTPUT"].map(|name| text::Chain {
                name: name.to_owned(),
                policy: Some("DROP".to_owned()),
                counters: None,
            }));
    }
    closed
}

/// Everything, laid out so that packets find their way quickly.
struct Judges<'a> {
    meaning: &'a Meaning,
    flat: Tables<'a>,
    mapped: Tables<'a>,
    saved: Saved,
    closed: Saved,
}

impl Judges<'_> {
    fn judge(&self, packet: &Packet, comparison: &mut Comparison) {
        use Side::{ClosedIptables, Flat, GuardedRules, Iptables, Mapped, Rules, Service};
        let [rules, guarded, flat, mapped, iptables] =
            [Rules, GuardedRules, Flat, Mapped, Iptables].map(|side| self.fate(side, packet));
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

    /// Whether a service of the host is open in iptables if rules open it, and not otherwise.
    fn is_service_alike(&self, packet: &Packet) -> bool {
        packet.is_forwarded()
            || self.fate(Side::Service, packet) == self.fate(Side::ClosedIptables, packet)
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
            sides: sides.map(|side| View::of(side, self.outcome(side, packet))),
        }
    }

    fn fate(&self, side: Side, packet: &Packet) -> Fate {
        match side {
            Side::Rules => fate(&self.meaning.as_defined, packet, Reading::InOrder),
            Side::GuardedRules => fate(&self.meaning.every_bridge, packet, Reading::BothAgree),
            Side::Flat => nft::fate(&self.flat, packet),
            Side::Mapped => nft::fate(&self.mapped, packet),
            Side::Iptables => self.saved.fate(packet),
            Side::Service if self.is_opened(packet) => self.fate(Side::Rules, packet),
            Side::Service => Fate {
                verdict: Verdict::Drop,
                nat: Nat::None,
            },
            Side::ClosedIptables => self.closed.fate(packet),
        }
    }

    /// Whether rules open a service of the host to a packet.
    fn is_opened(&self, packet: &Packet) -> bool {
        let role = match packet.way() {
            Way::In => Role::HostInput,
            Way::Out => Role::HostOutput,
            Way::Through => return false,
        };
        let mut rules = self.meaning.as_defined.at(packet.family(), role);
        rules.any(|rule| rule.matches.apply(packet).is_ok())
    }

    fn outcome(&self, side: Side, packet: &Packet) -> Outcome {
        match side {
            Side::Rules => evaluate(&self.meaning.as_defined, packet, Reading::InOrder),
            Side::GuardedRules => evaluate(&self.meaning.every_bridge, packet, Reading::BothAgree),
            Side::Flat => nft::evaluate(&self.flat, packet),
            Side::Mapped => nft::evaluate(&self.mapped, packet),
            Side::Iptables => self.saved.evaluate(packet),
            Side::Service => Outcome {
                fate: self.fate(side, packet),
                ..self.outcome(Side::Rules, packet)
            },
            Side::ClosedIptables => self.closed.evaluate(packet),
        }
    }
}
