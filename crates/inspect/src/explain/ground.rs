//! What a packet goes through: all tables of nf_tables, and those of iptables.
//!
//! The tables of iptables-nft are tables of nf_tables too. Where its programs print them, they are
//! taken as they print them: nf_tables has what they ask only in part.

use palisade_core::evaluate::{Doubt, Fate, Flow, Outcome, Packet, Verdict, Visit};
use palisade_iptables::evaluate as iptables;
use palisade_iptables::rule::is_chain;
use palisade_netlink::rtnetlink::Host;
use palisade_nft::evaluate as nft;
use palisade_nft::layout;
use palisade_nft::object::Family;
use palisade_nft::program::Program;
use serde::Serialize;

use crate::owner::owner;

/// What stands where packets of one family pass.
#[derive(Default)]
pub(super) struct Ground {
    /// The tables of nf_tables, but for those that are among the next.
    pub(super) programs: Vec<Program>,
    /// The interfaces of the host, if there is one.
    pub(super) host: Host,
    /// The tables that programs of iptables print, and which programs.
    pub(super) saved: Vec<Saved>,
}

/// The tables that a family of programs of iptables prints.
pub(super) struct Saved {
    /// What they are called: `iptables`, or with their variant.
    pub(super) name: String,
    /// What they hold.
    pub(super) tables: iptables::Tables,
    /// Whether chains of ours are among them.
    pub(super) is_ours: bool,
}

/// What one table says of a packet by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableVerdict {
    /// The table, or the family of programs that printed several.
    pub table: String,
    /// Whether palisade made it, or has chains in it.
    pub ours: bool,
    /// Its verdict.
    pub verdict: Verdict,
    /// The other verdicts that may come of it: it asks for what is not known here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub may: Vec<Verdict>,
}

impl Ground {
    /// What becomes of a packet here. Whoever refuses it comes last in the path, and nobody behind.
    pub(super) fn outcome(&self, packet: &Packet) -> Outcome {
        let (mut outcome, mut others) = self.by_kind(packet);
        // Whoever keeps conntrack from it does so for all.
        if outcome.is_untracked || others.iter().any(|other| other.is_untracked) {
            let mut untracked = packet.clone();
            untracked.flow = Flow::Untracked;
            let (first, rest) = self.by_kind(&untracked);
            let met = std::iter::once(&mut outcome).chain(&mut others);
            for (met, again) in met.zip(std::iter::once(first).chain(rest)) {
                if !met.is_untracked {
                    *met = again;
                }
            }
        }
        others.into_iter().fold(outcome, both)
    }

    /// What the tables of nf_tables make of it, and those of each family of programs.
    fn by_kind(&self, packet: &Packet) -> (Outcome, Vec<Outcome>) {
        let tables = self.indexed(&self.programs);
        let mut of_nftables = nft::evaluate(&tables, packet);
        self.name_owners(&mut of_nftables);
        let printed = self
            .saved
            .iter()
            .map(|saved| prefixed(&saved.name, saved.tables.evaluate(packet)));
        (of_nftables, printed.collect())
    }

    fn indexed<'a>(&self, programs: impl IntoIterator<Item = &'a Program>) -> nft::Tables<'a> {
        nft::Tables::of(programs)
            .with_interfaces(self.host.numbers())
            .with_bridges(self.host.bridges())
    }

    /// Says whose rules are that programs of iptables put into nf_tables, where nobody prints them.
    fn name_owners(&self, outcome: &mut Outcome) {
        for program in &self.programs {
            let table = name(program);
            if !has_chains_of_iptables(program) {
                continue;
            }
            let is_there = |visit: &&mut Visit| visit.table.as_deref() == Some(table.as_str());
            for visit in outcome.path.iter_mut().filter(is_there) {
                let mut rules = program.chains.iter().flat_map(|chain| &chain.rules);
                let rule = rules.find(|rule| visit.handle.is_some() && rule.handle == visit.handle);
                if let Some((network, purpose)) = rule.and_then(owner) {
                    visit.network = Some(network);
                    visit.purpose = Some(purpose);
                }
            }
        }
    }

    /// What each table says by itself, if packets of this family enter it; and all say this.
    pub(super) fn tables(&self, packet: &Packet, all: &Outcome) -> Vec<TableVerdict> {
        let sees = |program: &&Program| {
            let family = program.table.family;
            let is_entered = program
                .chains
                .iter()
                .any(|chain| chain.chain.base.is_some());
            let is_of_frames = matches!(family, Family::Bridge | Family::Netdev);
            let is_of_packets = family == Family::from(packet.family()) || family == Family::Inet;
            is_entered && (is_of_frames || is_of_packets)
        };
        let programs: Vec<&Program> = self.programs.iter().filter(sees).collect();
        // Whoever stands alone need not be asked again.
        match (programs.as_slice(), self.saved.as_slice()) {
            ([program], []) => return vec![of_nftables(program, all)],
            ([], [saved]) => return vec![of_iptables(saved, all)],
            _ => {}
        }
        let asked = programs.into_iter().map(|program| {
            let tables = self.indexed([program]);
            of_nftables(program, &nft::evaluate(&tables, packet))
        });
        let printed = self
            .saved
            .iter()
            .map(|saved| of_iptables(saved, &saved.tables.evaluate(packet)));
        asked.chain(printed).collect()
    }
}

fn of_nftables(program: &Program, outcome: &Outcome) -> TableVerdict {
    let ours = layout::version(&program.table).is_some() || has_chains_of_iptables(program);
    verdict_of(name(program), ours, outcome)
}

fn of_iptables(saved: &Saved, outcome: &Outcome) -> TableVerdict {
    verdict_of(saved.name.clone(), saved.is_ours, outcome)
}

fn name(program: &Program) -> String {
    format!("{} {}", program.table.family, program.table.name)
}

/// Whether programs of iptables keep chains of ours there.
fn has_chains_of_iptables(program: &Program) -> bool {
    let mut chains = program.chains.iter();
    chains.any(|chain| is_chain(&chain.chain.name))
}

fn verdict_of(table: String, ours: bool, outcome: &Outcome) -> TableVerdict {
    let mut may: Vec<Verdict> = outcome
        .doubts
        .iter()
        .flat_map(|doubt| doubt.may.clone())
        .collect();
    may.sort();
    may.dedup();
    TableVerdict {
        table,
        ours,
        verdict: outcome.fate.verdict,
        may,
    }
}

/// The same outcome, with the programs named that its tables belong to.
fn prefixed(name: &str, mut outcome: Outcome) -> Outcome {
    let with_name = |table: &str| format!("{name} {table}");
    for visit in &mut outcome.path {
        visit.table = visit.table.as_deref().map(with_name);
    }
    for doubt in &mut outcome.doubts {
        doubt.table = with_name(&doubt.table);
    }
    outcome
}

/// What becomes of a packet that two have a say on: the first that refuses it, or that translates.
fn both(first: Outcome, second: Outcome) -> Outcome {
    let (refusing, other) = match (first.fate.verdict, second.fate.verdict) {
        (Verdict::Accept, Verdict::Accept) => return accepted(first, second),
        (Verdict::Accept, _) => (second, first),
        _ => (first, second),
    };
    let verdict = refusing.fate.verdict;
    let mut path = Vec::new();
    let mut doubts = Vec::new();
    if other.fate.verdict == Verdict::Accept {
        if !is_before_routing(&refusing) {
            path = other.path;
        }
        // It may only be refused in another way.
        let mut may_refuse = |mut doubt: Doubt| {
            doubt
                .may
                .retain(|&may| may != verdict && may != Verdict::Accept);
            doubt.may_translate = false;
            (!doubt.may.is_empty()).then_some(doubt)
        };
        doubts = other
            .doubts
            .into_iter()
            .filter_map(&mut may_refuse)
            .collect();
    }
    path.extend(refusing.path);
    doubts.extend(refusing.doubts);
    Outcome {
        path,
        doubts,
        ..refusing
    }
}

/// Whether programs of iptables refuse a packet where it comes in, before the rules of networks.
fn is_before_routing(refusing: &Outcome) -> bool {
    let Some(last) = refusing.path.last() else {
        return false;
    };
    let Some((program, table)) = last.table.as_deref().and_then(|name| name.split_once(' ')) else {
        return false;
    };
    // It may be refused in a chain that one of the kernel's led to.
    let of_kernel = |visit: &&Visit| {
        let is_of_kernel = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];
        visit.table == last.table && is_of_kernel.contains(&visit.chain.as_str())
    };
    let begin = refusing.path.iter().rfind(of_kernel);
    let comes_in = begin.is_some_and(|visit| visit.chain == "PREROUTING");
    program.contains("tables") && (comes_in || table == "raw")
}

fn accepted(mut first: Outcome, second: Outcome) -> Outcome {
    if second.fate.nat.translates() && !first.fate.nat.translates() {
        first.fate = Fate {
            verdict: Verdict::Accept,
            nat: second.fate.nat,
        };
        first.nat_because = second.nat_because;
    }
    first.path.extend(second.path);
    first.doubts.extend(second.doubts);
    first.is_untracked |= second.is_untracked;
    first
}
