//! One rule's expressions, run for a packet.

use std::ops::Range;

use palisade_core::evaluate::Nat;
use palisade_core::network::{AddressRange, PortRange};

use super::answer::Answer;
use super::bits::{self, Byte};
use super::lookup::Index;
use super::registers::Registers;
use super::subject::Subject;
use super::tables::Indexed;
use crate::object::{
    self, Counter, Element, Expression, Lookup, LookupTarget, NatKind, Payload, PayloadBase,
    Register, Rule, Value, Verdict,
};
use crate::wire::foreign::{self, Asks};

/// What a rule says of a packet.
pub(super) struct Step<'a> {
    /// Whether it applies.
    pub(super) applies: Answer,
    /// What it does then.
    pub(super) action: Action<'a>,
    /// The expression at which it broke off, or the first of which the answer is not known.
    pub(super) because: Option<usize>,
    /// The last element that it found, and in which set.
    pub(super) hit: Option<(&'a Index<'a>, &'a Element)>,
    /// What its own counter says.
    pub(super) counter: Option<Counter>,
    /// What it changes of the packet, and whether it comes to that.
    pub(super) effects: Vec<(Answer, Effect)>,
}

/// What a rule changes of a packet, whatever it does then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// Conntrack does not look at it.
    Untrack,
    /// These bytes stand in a header of it.
    Write {
        base: PayloadBase,
        offset: u32,
        bytes: Vec<Byte>,
    },
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action<'a> {
    /// Nothing: on with the next rule.
    Continue,
    /// Back to where this chain was called.
    Return,
    /// Into a chain, and back.
    Jump(&'a str),
    /// Into a chain, and not back here.
    Goto(&'a str),
    /// The end of this base chain.
    End(End),
    /// Something that this build cannot know.
    Anything,
}

/// How a base chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Accept,
    Drop,
    Reject,
    /// The source is translated.
    Translate(Nat),
    /// The addresses are translated to what our types do not hold, or the destination is.
    Readdress,
}

impl<'a> Step<'a> {
    pub(super) fn run(table: &'a Indexed<'a>, rule: &'a Rule, subject: &Subject<'_>) -> Self {
        let mut run = Run {
            table,
            subject,
            registers: Registers::new(),
            step: Step {
                applies: Answer::Yes,
                action: Action::Continue,
                because: None,
                hit: None,
                counter: rule
                    .expressions
                    .iter()
                    .find_map(|expression| match expression {
                        Expression::Counter(counter) => Some(*counter),
                        _ => None,
                    }),
                effects: Vec::new(),
            },
        };
        for (place, expression) in rule.expressions.iter().enumerate() {
            let before = run.step.applies;
            run.take(expression);
            if run.step.applies != before {
                run.step.because = Some(place);
            }
            if run.step.applies == Answer::No || run.step.action != Action::Continue {
                break;
            }
        }
        run.step
    }
}

struct Run<'a, 's, 'p> {
    table: &'a Indexed<'a>,
    subject: &'s Subject<'p>,
    registers: Registers,
    step: Step<'a>,
}

impl<'a> Run<'a, '_, '_> {
    fn take(&mut self, expression: &'a Expression) {
        match expression {
            Expression::Meta(it) => self
                .registers
                .put(it.destination, &self.subject.meta(it.key)),
            Expression::Payload(it) => {
                let value = if self.has_written(it) {
                    vec![Byte::UNKNOWN; it.len as usize]
                } else {
                    self.subject.payload(it.base, it.offset, it.len)
                };
                self.registers.put(it.destination, &value);
            }
            Expression::Conntrack(it) => {
                self.registers
                    .put(it.destination, &self.subject.conntrack(it.key));
            }
            Expression::Load(it) => self.registers.put(it.destination, &bits::known(&it.value)),
            Expression::Bitwise(it) => {
                let value = self.registers.read(it.source, it.mask.len());
                let masks = it.mask.iter().zip(&it.xor);
                let masked = value
                    .iter()
                    .zip(masks)
                    .map(|(byte, (&mask, &xor))| byte.masked(mask, xor));
                self.registers
                    .put(it.destination, &masked.collect::<Vec<_>>());
            }
            Expression::Compare(it) => {
                let value = self.registers.read(it.source, it.value.len());
                self.ask(bits::compare(&value, it.operator, &it.value));
            }
            Expression::Range(it) => {
                let value = self.registers.read(it.source, it.first.len());
                let within = bits::within(&value, &it.first, &it.last);
                self.ask(within.not_if(it.inverted));
            }
            Expression::Lookup(it) => self.look_up(it),
            Expression::Verdict(verdict) => self.step.action = Action::of(verdict),
            Expression::Counter(_) => {}
            Expression::Reject(_) => self.step.action = Action::End(End::Reject),
            Expression::Masquerade(it) => {
                let ports = self.ports(it.min_port, it.max_port);
                let end = ports.map(|ports| End::Translate(Nat::Masquerade { ports }));
                self.step.action = Action::End(end.unwrap_or(End::Readdress));
            }
            Expression::Nat(it) => {
                let end = self.translation(it).map(End::Translate);
                self.step.action = Action::End(end.unwrap_or(End::Readdress));
            }
            Expression::Unknown { name, data } => self.unknown(name, data),
        }
    }

    fn change(&mut self, effect: Effect) {
        self.step.effects.push((self.step.applies, effect));
    }

    /// Whether this rule itself wrote what it asks for now.
    fn has_written(&self, asked: &Payload) -> bool {
        let bytes = asked.offset..asked.offset.saturating_add(asked.len);
        let mut effects = self.step.effects.iter();
        effects.any(|(_, effect)| effect.reaches(asked.base, &bytes))
    }

    /// The rule goes on if the answer is yes.
    fn ask(&mut self, answer: Answer) {
        self.step.applies = self.step.applies.and(answer);
    }

    fn look_up(&mut self, lookup: &'a Lookup) {
        let Some(index) = self.table.set(&lookup.set) else {
            self.ask(Answer::Unknown);
            self.registers.forget();
            return;
        };
        let key = self.registers.read(lookup.source, index.key_len());
        let found = index.find(&key);
        self.ask(found.is_there.not_if(lookup.inverted));
        if self.step.applies == Answer::No {
            return;
        }
        if let Some(element) = found.element {
            self.step.hit = Some((index, element));
        }
        match (
            lookup.target,
            found.element.and_then(|element| element.value.as_ref()),
        ) {
            (LookupTarget::None, _) => {}
            (LookupTarget::Register(at), Some(Value::Bytes(bytes))) => {
                self.registers.put(at, &bits::known(bytes));
            }
            (LookupTarget::Register(_), _) => self.registers.forget(),
            (LookupTarget::Verdict, Some(Value::Verdict(verdict))) => {
                self.step.action = Action::of(verdict);
            }
            (LookupTarget::Verdict, _) => self.step.action = Action::Anything,
        }
    }

    fn ports(&self, min: Option<Register>, max: Option<Register>) -> Option<Option<PortRange>> {
        let Some(min) = min else {
            return Some(None);
        };
        let port = |at| {
            let bytes = bits::certain(&self.registers.read(at, 2))?;
            bytes.try_into().ok().map(u16::from_be_bytes)
        };
        let range = PortRange::new(port(min)?, port(max.unwrap_or(min))?).ok()?;
        Some(Some(range))
    }

    /// What NAT does to the source, where our types hold it.
    fn translation(&self, nat: &object::Nat) -> Option<Nat> {
        if nat.kind != NatKind::Source || nat.family != object::Family::Ip {
            return None;
        }
        let ports = self.ports(nat.min_port, nat.max_port)?;
        let address = |at| {
            let bytes = bits::certain(&self.registers.read(at, 4))?;
            <[u8; 4]>::try_from(bytes)
                .ok()
                .map(std::net::Ipv4Addr::from)
        };
        let min = nat.min_address?;
        let (first, last) = (address(min)?, address(nat.max_address.unwrap_or(min))?);
        let addresses = AddressRange::new(first, last).ok()?;
        Some(Nat::Snat { addresses, ports })
    }

    /// What is known of expressions that this build does not know: some change nothing that we ask
    /// for, some load what we do not know, some break off or end for reasons of their own.
    fn unknown(&mut self, name: &str, data: &[u8]) {
        match name {
            "log" | "last" | "dup" | "flow_offload" => {}
            // Comparisons follow if they load, and nothing that matters here if they write.
            "meta" | "ct" | "bitwise" | "byteorder" | "numgen" | "hash" | "immediate" => {
                self.registers.forget();
            }
            "notrack" => self.change(Effect::Untrack),
            "payload" => match foreign::written(data) {
                Some(it) => {
                    let len = usize::try_from(it.len).unwrap_or_default();
                    self.change(Effect::Write {
                        base: it.base,
                        offset: it.offset,
                        bytes: self.registers.read(it.source, len),
                    });
                }
                None => self.registers.forget(),
            },
            "redir" | "tproxy" => self.step.action = Action::End(End::Readdress),
            "queue" | "synproxy" | "fwd" => self.step.action = Action::Anything,
            "objref" if foreign::counts(data) => {}
            "match" => self.ask(match foreign::asks(data) {
                Some(Asks::Nothing) => Answer::Yes,
                Some(Asks::State { mask, inverted }) => match self.subject.state() {
                    Some(state) => Answer::of(state & mask != 0, true).not_if(inverted),
                    None => Answer::Unknown,
                },
                None => Answer::Unknown,
            }),
            "target" if foreign::untracks(data) => self.change(Effect::Untrack),
            "target" => self.step.action = Action::of_target(foreign::extension(data)),
            _ => {
                self.ask(Answer::Unknown);
                self.registers.forget();
            }
        }
    }
}

impl Effect {
    /// Whether it changes one of these bytes of a header.
    pub(super) fn reaches(&self, header: PayloadBase, asked: &Range<u32>) -> bool {
        match self {
            Self::Untrack => false,
            Self::Write {
                base,
                offset,
                bytes,
            } => {
                let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                let end = offset.saturating_add(len);
                *base == header && *offset < asked.end && asked.start < end
            }
        }
    }
}

impl<'a> Action<'a> {
    fn of(verdict: &'a Verdict) -> Self {
        match verdict {
            Verdict::Drop => Self::End(End::Drop),
            Verdict::Accept => Self::End(End::Accept),
            Verdict::Continue => Self::Continue,
            Verdict::Return => Self::Return,
            Verdict::Jump(chain) => Self::Jump(chain),
            Verdict::Goto(chain) => Self::Goto(chain),
            Verdict::Other(_) => Self::Anything,
        }
    }

    /// What a target of xtables does.
    fn of_target(name: Option<&str>) -> Self {
        match name {
            Some("REJECT") => Self::End(End::Reject),
            Some("MASQUERADE" | "SNAT" | "DNAT" | "REDIRECT" | "NETMAP") => {
                Self::End(End::Readdress)
            }
            Some(
                "LOG" | "NFLOG" | "TRACE" | "CHECKSUM" | "MARK" | "CONNMARK" | "CLASSIFY" | "CT"
                | "TCPMSS" | "AUDIT" | "LED" | "IDLETIMER" | "SECMARK" | "CONNSECMARK" | "DSCP"
                | "TOS" | "TTL" | "HL" | "TEE",
            ) => Self::Continue,
            _ => Self::Anything,
        }
    }
}
