//! A packet on its way from chain to chain.

use palisade_core::backend::Counted;
use palisade_core::evaluate::{Doubt, Fate, Nat, Packet, Verdict, Visit, Way};

use super::Tables;
use super::prepare::Prepared;
use super::rule::Action;
use crate::rule::tag;

/// Which chains of the kernel filter a packet, table by table in the order in which it meets them.
const FORWARD: &[(&str, &str)] = &[
    ("raw", "PREROUTING"),
    ("mangle", "PREROUTING"),
    ("mangle", "FORWARD"),
    ("filter", "FORWARD"),
    ("security", "FORWARD"),
];
const INPUT: &[(&str, &str)] = &[
    ("raw", "PREROUTING"),
    ("mangle", "PREROUTING"),
    ("mangle", "INPUT"),
    ("filter", "INPUT"),
    ("security", "INPUT"),
];
const OUTPUT: &[(&str, &str)] = &[
    ("raw", "OUTPUT"),
    ("mangle", "OUTPUT"),
    ("filter", "OUTPUT"),
    ("security", "OUTPUT"),
];
/// What leaves passes this too, before its source is translated.
const LEAVING: (&str, &str) = ("mangle", "POSTROUTING");
const TRANSLATING: (&str, &str) = ("nat", "POSTROUTING");

pub(super) struct Walk<'a> {
    tables: &'a Tables,
    packet: &'a Packet,
    /// The chains that it is in.
    within: Vec<&'a str>,
    /// What it met, if that is wanted.
    pub(super) path: Option<Vec<Visit>>,
    pub(super) doubts: Vec<Doubt>,
    /// The rule that decided what becomes of the source, if one did.
    translated_by: Option<&'a Prepared>,
}

/// What a chain made of a packet; it goes back to where it came from if there is none.
enum Ruling {
    Verdict(Verdict),
    Translated(Nat),
}

/// What follows from a rule.
enum Step {
    /// The next rule.
    On,
    /// Back to the chain that led here.
    Back,
    End(Ruling),
}

impl<'a> Walk<'a> {
    /// One that tells all that the packet meets.
    pub(super) fn told(tables: &'a Tables, packet: &'a Packet) -> Self {
        Self {
            path: Some(Vec::new()),
            ..Self::untold(tables, packet)
        }
    }

    pub(super) fn untold(tables: &'a Tables, packet: &'a Packet) -> Self {
        Self {
            tables,
            packet,
            within: Vec::new(),
            path: None,
            doubts: Vec::new(),
            translated_by: None,
        }
    }

    /// What becomes of it, and why its source is translated so or is not.
    pub(super) fn fate(&mut self) -> (Fate, String) {
        let verdict = self.verdict();
        let (nat, because) = match (verdict, self.packet.way()) {
            (Verdict::Accept, Way::In) => (Nat::None, "the host takes it itself".to_owned()),
            (Verdict::Accept, Way::Through | Way::Out) => match self.packet.flow.nat() {
                Some((nat, because)) => (nat, because.to_owned()),
                None => return self.translate(),
            },
            _ => (Nat::None, "it does not get that far".to_owned()),
        };
        (Fate { verdict, nat }, because)
    }

    fn verdict(&mut self) -> Verdict {
        if self.packet.family() != self.tables.family {
            return Verdict::Accept;
        }
        let (chains, leaving) = match self.packet.way() {
            Way::Through => (FORWARD, Some(&LEAVING)),
            Way::In => (INPUT, None),
            Way::Out => (OUTPUT, Some(&LEAVING)),
        };
        for &place in chains.iter().chain(leaving) {
            if let Ruling::Verdict(verdict) = self.base(place)
                && !verdict.passes()
            {
                return verdict;
            }
        }
        Verdict::Accept
    }

    fn translate(&mut self) -> (Fate, String) {
        let (verdict, nat) = match self.base(TRANSLATING) {
            Ruling::Translated(nat) => (Verdict::Accept, nat),
            Ruling::Verdict(verdict) => (verdict, Nat::None),
        };
        let because = match self.translated_by {
            Some(rule) => match tag(&rule.saved.words) {
                Some((network, purpose)) => format!("{network}: {}", purpose.explanation()),
                None => rule.saved.words.to_string(),
            },
            None => "no rule translates it".to_owned(),
        };
        (Fate { verdict, nat }, because)
    }

    /// Through a chain of the kernel, at whose end its policy decides.
    fn base(&mut self, (table, chain): (&str, &str)) -> Ruling {
        if let Some(ruling) = self.chain(table, chain) {
            return ruling;
        }
        let found = self.tables.chain(table, chain);
        let policy = found.and_then(|chain| chain.policy.as_deref());
        let verdict = match policy {
            Some("DROP") => Verdict::Drop,
            _ => Verdict::Accept,
        };
        if let (Some(path), Verdict::Drop) = (&mut self.path, verdict) {
            path.push(Visit {
                table: Some(table.to_owned()),
                chain: chain.to_owned(),
                handle: None,
                rule: "policy DROP".to_owned(),
                network: None,
                purpose: None,
                matched: Some(true),
                why: "no rule of this chain decided".to_owned(),
                counter: None,
            });
        }
        Ruling::Verdict(verdict)
    }

    fn chain(&mut self, table: &str, chain: &str) -> Option<Ruling> {
        let tables: &'a Tables = self.tables;
        let rules = tables.chain(table, chain).map_or(&[][..], |c| &c.rules);
        for rule in rules {
            match self.rule(table, rule) {
                Step::On => {}
                Step::Back => return None,
                Step::End(ruling) => return Some(ruling),
            }
        }
        None
    }

    fn rule(&mut self, table: &str, rule: &'a Prepared) -> Step {
        let packet = self.packet;
        let failing = rule
            .asks
            .iter()
            .find(|ask| ask.holds(packet) == Some(false));
        if let Some(failing) = failing {
            self.visit(table, rule, Some(false), || format!("not {}", failing.text));
            return Step::On;
        }
        if matches!(rule.action, Action::Continue) {
            let is_open = rule.asks.iter().any(|ask| ask.holds(packet).is_none());
            self.visit(table, rule, (!is_open).then_some(true), || {
                "on to the next rule".to_owned()
            });
            return Step::On;
        }
        if let Some(open) = rule.asks.iter().find(|ask| ask.holds(packet).is_none()) {
            let why = format!("the packet alone does not tell whether {}", open.text);
            return self.doubt(table, rule, why);
        }
        if table == TRANSLATING.0 && !matches!(rule.action, Action::Jump(_) | Action::Goto(_)) {
            self.translated_by = Some(rule);
        }
        self.act(table, rule)
    }

    fn act(&mut self, table: &str, rule: &'a Prepared) -> Step {
        let (why, step) = match &rule.action {
            Action::Accept => ("accepted", Step::End(Ruling::Verdict(Verdict::Accept))),
            Action::Drop => ("dropped", Step::End(Ruling::Verdict(Verdict::Drop))),
            Action::Reject => ("refused", Step::End(Ruling::Verdict(Verdict::Reject))),
            Action::Return => ("back", Step::Back),
            Action::Continue => ("on to the next rule", Step::On),
            Action::Masquerade { ports } => {
                let nat = Nat::Masquerade { ports: *ports };
                ("translated", Step::End(Ruling::Translated(nat)))
            }
            Action::Snat { addresses, ports } => {
                let (addresses, ports) = (*addresses, *ports);
                let nat = Nat::Snat { addresses, ports };
                ("translated", Step::End(Ruling::Translated(nat)))
            }
            Action::Jump(chain) | Action::Goto(chain) => return self.follow(table, rule, chain),
            Action::Unknown => {
                let why = "what its target does cannot be foretold".to_owned();
                return self.doubt(table, rule, why);
            }
        };
        self.visit(table, rule, Some(true), || why.to_owned());
        step
    }

    fn follow(&mut self, table: &str, rule: &'a Prepared, chain: &'a str) -> Step {
        // The kernel has neither jumps to nowhere nor loops, but texts may.
        if self.tables.chain(table, chain).is_none() || self.within.contains(&chain) {
            let why = format!("what {chain} does cannot be foretold");
            return self.doubt(table, rule, why);
        }
        self.visit(table, rule, Some(true), || format!("on to {chain}"));
        self.within.push(chain);
        let ruling = self.chain(table, chain);
        self.within.pop();
        match (ruling, &rule.action) {
            (Some(ruling), _) => Step::End(ruling),
            // Whoever went there by -g does not come back here.
            (None, Action::Goto(_)) => Step::Back,
            (None, _) => Step::On,
        }
    }

    /// The rule may apply: that is noted, and the packet goes on as if it did not.
    fn doubt(&mut self, table: &str, rule: &Prepared, why: String) -> Step {
        self.visit(table, rule, None, || why.clone());
        let translates = table == TRANSLATING.0;
        let may = match rule.action {
            Action::Accept if translates => Vec::new(),
            Action::Accept => vec![Verdict::Accept],
            Action::Drop => vec![Verdict::Drop],
            Action::Reject => vec![Verdict::Reject],
            Action::Masquerade { .. } | Action::Snat { .. } | Action::Continue => Vec::new(),
            // Whatever stands behind, or is passed by.
            Action::Return | Action::Jump(_) | Action::Goto(_) | Action::Unknown => {
                Verdict::ALL.to_vec()
            }
        };
        self.doubts.push(Doubt {
            table: table.to_owned(),
            chain: rule.saved.chain.clone(),
            rule: rule.saved.words.to_string(),
            why,
            may,
            may_translate: translates,
        });
        Step::On
    }

    fn visit(
        &mut self,
        table: &str,
        rule: &Prepared,
        matched: Option<bool>,
        why: impl Fn() -> String,
    ) {
        let Some(path) = &mut self.path else {
            return;
        };
        let (network, purpose) = tag(&rule.saved.words).unzip();
        path.push(Visit {
            table: Some(table.to_owned()),
            chain: rule.saved.chain.clone(),
            handle: None,
            rule: rule.saved.words.to_string(),
            network,
            purpose,
            matched,
            why: why(),
            counter: rule.saved.counters.map(|counters| Counted {
                packets: counters.packets,
                bytes: counters.bytes,
            }),
        });
    }
}
