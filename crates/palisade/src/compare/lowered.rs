//! What backends and layouts have for a family of packets, beside the rules that it is made of.

use palisade_core::evaluate::{
    Conditions, Difference, Fate, Meaning, Outcome, Packet, Reading, each_class, evaluate, fate,
};
use palisade_core::network::{Family, Network};
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
        let judges = Judges {
            meaning: &self.meaning,
            flat: Tables::of(&self.flat),
            mapped: Tables::of(&self.mapped),
            saved: Saved::of(self.family, &self.saved),
        };
        let conditions = self.conditions(&judges.saved)?;
        let mut comparison = Comparison::default();
        each_class(&conditions, self.family, &mut |packet| {
            judges.judge(packet, &mut comparison);
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

/// Everything, laid out so that packets find their way quickly.
struct Judges<'a> {
    meaning: &'a Meaning,
    flat: Tables<'a>,
    mapped: Tables<'a>,
    saved: Saved,
}

impl Judges<'_> {
    fn judge(&self, packet: &Packet, comparison: &mut Comparison) {
        use Side::{Flat, GuardedRules, Iptables, Mapped, Rules};
        let [rules, guarded, flat, mapped, iptables] =
            [Rules, GuardedRules, Flat, Mapped, Iptables].map(|side| self.fate(side, packet));
        comparison.packets += 1;
        let mut is_disagreed = false;
        for (one, other, is_same) in [
            (Rules, Flat, rules == flat),
            (Rules, Iptables, rules == iptables),
            (GuardedRules, Mapped, guarded == mapped),
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
        }
    }

    fn outcome(&self, side: Side, packet: &Packet) -> Outcome {
        match side {
            Side::Rules => evaluate(&self.meaning.as_defined, packet, Reading::InOrder),
            Side::GuardedRules => evaluate(&self.meaning.every_bridge, packet, Reading::BothAgree),
            Side::Flat => nft::evaluate(&self.flat, packet),
            Side::Mapped => nft::evaluate(&self.mapped, packet),
            Side::Iptables => self.saved.evaluate(packet),
        }
    }
}
