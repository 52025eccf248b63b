//! A packet on its way from chain to chain.

use palisade_core::backend::Counted;
use palisade_core::evaluate::{Doubt, Fate, Flow, Nat, Packet, Verdict, Visit, Way};

use super::Tables;
use super::prepare::Prepared;
use super::rule::{Action, Seen};
use crate::rule::tag;

/// Which chains of the kernel a packet meets, table by table in that order.
const FORWARD: &[(&str, &str)] = &[
    ("raw", "PREROUTING"),
    ("mangle", "PREROUTING"),
    ("nat", "PREROUTING"),
    ("mangle", "FORWARD"),
    ("filter", "FORWARD"),
    ("security", "FORWARD"),
];
const INPUT: &[(&str, &str)] = &[
    ("raw", "PREROUTING"),
    ("mangle", "PREROUTING"),
    ("nat", "PREROUTING"),
    ("mangle", "INPUT"),
    ("filter", "INPUT"),
    ("security", "INPUT"),
];
const OUTPUT: &[(&str, &str)] = &[
    ("raw", "OUTPUT"),
    ("mangle", "OUTPUT"),
    ("nat", "OUTPUT"),
    ("filter", "OUTPUT"),
    ("security", "OUTPUT"),
];
/// What leaves passes this too, before its source is translated.
const LEAVING: (&str, &str) = ("mangle", "POSTROUTING");
const TRANSLATING: (&str, &str) = ("nat", "POSTROUTING");
/// Before conntrack.
const EARLY: &str = "raw";
const NAT: &str = "nat";

const READDRESSES: &str =
    "it translates addresses: what comes then is told of the packet as it was";

pub(super) struct Walk<'a> {
    tables: &'a Tables,
    packet: &'a Packet,
    /// As it is at this place.
    seen: Seen<'a>,
    /// What conntrack makes of it, behind the table that it does not look before.
    pub(super) flow: Flow,
    /// The kernel's chain that it is in.
    base: &'static str,
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
    /// Its addresses are others from now on, nobody knows which.
    Readdressed,
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
            seen: Seen {
                packet,
                out_interface: None,
                flow: packet.flow,
                is_readdressed: false,
            },
            flow: packet.flow,
            base: "",
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
            (Verdict::Accept, Way::Through | Way::Out) => match self.flow.nat() {
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
            // NAT asks about the first packet of each flow alone.
            if place.0 == NAT && self.flow.nat().is_some() {
                continue;
            }
            match self.base(place) {
                Ruling::Verdict(verdict) if !verdict.passes() => return verdict,
                Ruling::Readdressed => self.seen.is_readdressed = true,
                Ruling::Verdict(_) | Ruling::Translated(_) => {}
            }
        }
        Verdict::Accept
    }

    fn translate(&mut self) -> (Fate, String) {
        self.translated_by = None;
        let (verdict, nat) = match self.base(TRANSLATING) {
            Ruling::Translated(nat) => (Verdict::Accept, nat),
            Ruling::Readdressed => (Verdict::Accept, Nat::None),
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
    fn base(&mut self, (table, chain): (&'static str, &'static str)) -> Ruling {
        self.base = chain;
        self.seen.flow = match (table, self.flow) {
            // Whoever kept conntrack from it does so at its first sight.
            (EARLY, Flow::Untracked) => Flow::Untracked,
            (EARLY, _) => Flow::Invalid,
            (_, flow) => flow,
        };
        self.seen.out_interface = match chain {
            "PREROUTING" | "INPUT" => None,
            _ => self.packet.out_interface.as_ref(),
        };
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
        let seen = self.seen;
        let failing = rule.asks.iter().find(|ask| ask.holds(seen) == Some(false));
        if let Some(failing) = failing {
            self.visit(table, rule, Some(false), || format!("not {}", failing.text));
            return Step::On;
        }
        let open = rule.asks.iter().find(|ask| ask.holds(seen).is_none());
        if matches!(rule.action, Action::Continue) {
            self.visit(table, rule, open.is_none().then_some(true), || {
                "on to the next rule".to_owned()
            });
            return Step::On;
        }
        if let Some(open) = open {
            let why = format!("the packet alone does not tell whether {}", open.text);
            return self.doubt(table, rule, why);
        }
        if table == NAT && !matches!(rule.action, Action::Jump(_) | Action::Goto(_)) {
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
            Action::Untrack => {
                self.flow = Flow::Untracked;
                self.seen.flow = Flow::Untracked;
                ("conntrack does not look at it", Step::On)
            }
            Action::Readdress => {
                self.visit(table, rule, Some(true), || READDRESSES.to_owned());
                self.note(table, rule, READDRESSES.to_owned());
                return Step::End(Ruling::Readdressed);
            }
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
        self.note(table, rule, why);
        Step::On
    }

    /// What may come of a rule otherwise than it is told.
    fn note(&mut self, table: &str, rule: &Prepared, why: String) {
        let translates = table == NAT;
        let is_last = (table, self.base) == TRANSLATING;
        let may = match rule.action {
            Action::Accept if translates => Vec::new(),
            Action::Accept => vec![Verdict::Accept],
            Action::Drop => vec![Verdict::Drop],
            Action::Reject => vec![Verdict::Reject],
            Action::Masquerade { .. } | Action::Snat { .. } | Action::Continue => Vec::new(),
            Action::Readdress if is_last => Vec::new(),
            // Whatever stands behind, or is passed by.
            Action::Return
            | Action::Jump(_)
            | Action::Goto(_)
            | Action::Readdress
            | Action::Untrack
            | Action::Unknown => Verdict::ALL.to_vec(),
        };
        self.doubts.push(Doubt {
            table: table.to_owned(),
            chain: rule.saved.chain.clone(),
            rule: rule.saved.words.to_string(),
            why,
            may,
            may_translate: translates || rule.action == Action::Untrack,
        });
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
