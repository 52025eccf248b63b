//! One rule's expressions, run for a packet.

use std::cmp::Ordering::{Equal, Greater, Less};
use std::net::IpAddr;

use palisade_core::evaluate::bits::{self, Byte};
use palisade_core::evaluate::{
    Action, Answer, Destination, Effect, End, Header, Nat, Read, Step, Subject, xtables,
};
use palisade_core::network::{AddressRange, PortRange};

use super::registers::Registers;
use super::{Table, load};
use crate::object::{
    self, Comparison, Element, Expression, Lookup, LookupTarget, NatKind, Payload, PayloadBase,
    Register, Rule, Set, Value, Verdict,
};
use crate::wire::foreign::{self, Asks};

/// What a rule makes of a packet.
pub(super) struct Run<'a> {
    pub(super) step: Step,
    /// The last element that it found, and in which set.
    pub(super) hit: Option<(&'a Set, &'a Element)>,
}

impl<'a> Run<'a> {
    pub(super) fn of(table: &'a Table<'a>, rule: &'a Rule, subject: &Subject<'_>) -> Self {
        let mut running = Running {
            table,
            subject,
            registers: Registers::new(),
            run: Run {
                step: Step::new(Answer::Yes, Action::Continue),
                hit: None,
            },
        };
        for (place, expression) in rule.expressions.iter().enumerate() {
            let step = &running.run.step;
            let before = step.applies;
            running.take(expression, &rule.expressions[place + 1..]);
            let step = &mut running.run.step;
            if step.applies != before {
                step.part = Some(place);
            }
            if step.applies == Answer::No || step.action != Action::Continue {
                break;
            }
        }
        running.run
    }

    pub(super) fn applies(&self) -> bool {
        self.step.applies == Answer::Yes
    }
}

/// A rule's expressions, one after the other.
struct Running<'a, 's, 'p> {
    table: &'a Table<'a>,
    subject: &'s Subject<'p>,
    registers: Registers,
    run: Run<'a>,
}

impl<'a> Running<'a, '_, '_> {
    /// `rest` is what the rule does behind it.
    fn take(&mut self, expression: &'a Expression, rest: &[Expression]) {
        match expression {
            Expression::Meta(it) => self
                .registers
                .put(it.destination, &load::meta(self.subject, it.key)),
            Expression::Payload(it) => {
                let value = match header(it.base).filter(|&it_is| !self.has_written(it_is, it)) {
                    Some(header) => self.subject.payload(header, it.offset, it.len),
                    None => vec![Byte::UNKNOWN; it.len as usize],
                };
                self.registers.put(it.destination, &value);
            }
            Expression::Conntrack(it) => self
                .registers
                .put(it.destination, &load::conntrack(self.subject, it.key)),
            Expression::Fib(it) => self
                .registers
                .put(it.destination, &load::fib(self.subject, *it)),
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
                self.ask(compare(&value, it.operator, &it.value));
            }
            Expression::Range(it) => {
                let value = self.registers.read(it.source, it.first.len());
                let within = bits::within(&value, &it.first, &it.last);
                self.ask(within.not_if(it.inverted));
            }
            Expression::Lookup(it) => self.look_up(it, only_logs(rest)),
            Expression::Verdict(verdict) => self.run.step.action = self.action(verdict),
            Expression::Counter(_) | Expression::Log(_) => {}
            Expression::Limit(_) if only_logs(rest) => {}
            Expression::Limit(_) => self.ask(Answer::Unknown),
            Expression::Reject(_) => self.run.step.action = Action::End(End::Reject),
            Expression::Masquerade(it) => {
                let ports = self.ports(it.min_port, it.max_port);
                let end = ports.map(|ports| End::Translate(Nat::Masquerade { ports }));
                self.run.step.action = Action::End(end.unwrap_or(End::Readdress));
            }
            Expression::Nat(it) => {
                let redirection = || self.redirection(it).map(End::Dnat);
                let end = self.translation(it).map(End::Translate);
                let end = end.or_else(redirection);
                self.run.step.action = Action::End(end.unwrap_or(End::Readdress));
            }
            Expression::RouteMss(at) | Expression::NetworkOrder(at) => {
                self.registers.put(*at, &[Byte::UNKNOWN; 2]);
            }
            // No rule of networks matches what it writes.
            Expression::SetMss(_) => {}
            Expression::Unknown { name, data } => self.unknown(name, data),
        }
    }

    /// Marks that a rule gives the packet or its connection. Zero is none.
    fn keep(&mut self, name: &str, data: &[u8]) {
        let Some((key, source)) = foreign::kept(name, data) else {
            return;
        };
        let effect = match name {
            "meta" if key == load::META_MARK => Effect::Mark,
            "ct" if key == load::CONNTRACK_MARK => Effect::MarkConnection,
            _ => return,
        };
        if bits::certain(&self.registers.read(source, 4)) != Some(vec![0; 4]) {
            self.change(effect);
        }
    }

    fn change(&mut self, effect: Effect) {
        self.run.step.effects.push((self.run.step.applies, effect));
    }

    /// Whether this rule itself wrote what it loads now.
    fn has_written(&self, header: Header, loaded: &Payload) -> bool {
        let bytes = loaded.offset..loaded.offset.saturating_add(loaded.len);
        let read = Read::Bytes(header, bytes);
        let mut effects = self.run.step.effects.iter();
        effects.any(|(_, effect)| effect.reaches(&read))
    }

    fn action(&self, verdict: &Verdict) -> Action {
        let chain = |name: &str| self.table.chain(name);
        match verdict {
            Verdict::Drop => Action::End(End::Drop),
            Verdict::Accept => Action::End(End::Accept),
            Verdict::Continue => Action::Continue,
            Verdict::Return => Action::Return,
            Verdict::Jump(name) => chain(name).map_or(Action::Anything, Action::Jump),
            Verdict::Goto(name) => chain(name).map_or(Action::Anything, Action::Goto),
            Verdict::Other(_) => Action::Anything,
        }
    }

    /// The rule goes on if the answer is yes.
    fn ask(&mut self, answer: Answer) {
        self.run.step.applies = self.run.step.applies.and(answer);
    }

    /// What an element limits does not matter where the rule only logs.
    fn look_up(&mut self, lookup: &'a Lookup, only_logs: bool) {
        let Some((set, index)) = self.table.set(&lookup.set) else {
            self.ask(Answer::Unknown);
            self.registers.forget();
            return;
        };
        let key = self.registers.read(lookup.source, set.set.key_len as usize);
        let found = index.find(set, &key);
        let is_there = match found.element {
            Some(_) if only_logs => Answer::Yes,
            _ => found.is_there,
        };
        self.ask(is_there.not_if(lookup.inverted));
        if self.run.step.applies == Answer::No {
            return;
        }
        if let Some(element) = found.element {
            self.run.hit = Some((&set.set, element));
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
                self.run.step.action = self.action(verdict);
            }
            (LookupTarget::Verdict, _) => self.run.step.action = Action::Anything,
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

    /// The address and port that NAT gives the destination, if it is one.
    fn redirection(&self, nat: &object::Nat) -> Option<Destination> {
        let address = nat.min_address?;
        let is_one = nat.max_address.is_none_or(|max| max == address);
        if nat.kind != NatKind::Destination || !is_one {
            return None;
        }
        let bytes = |len| bits::certain(&self.registers.read(address, len));
        let address: IpAddr = match nat.family {
            object::Family::Ip => <[u8; 4]>::try_from(bytes(4)?).ok()?.into(),
            object::Family::Ip6 => <[u8; 16]>::try_from(bytes(16)?).ok()?.into(),
            _ => return None,
        };
        Some(Destination {
            address: Some(address),
            port: self.one_port(nat.min_port, nat.max_port)?,
        })
    }

    /// The port that NAT gives, if it gives one or none.
    fn one_port(&self, min: Option<Register>, max: Option<Register>) -> Option<Option<u16>> {
        match self.ports(min, max)? {
            Some(range) => (range.count() == 1).then(|| Some(range.start())),
            None => Some(None),
        }
    }

    /// What `redirect` makes of the destination: the host's own address.
    fn to_host(&self, data: &[u8]) -> Option<Destination> {
        let foreign::Redirected { min_port, max_port } = foreign::redirected(data)?;
        Some(Destination {
            address: None,
            port: self.one_port(min_port, max_port)?,
        })
    }

    /// What is known of expressions that this build does not know: some change nothing that we ask
    /// for, some load what we do not know, some break off or end for reasons of their own.
    fn unknown(&mut self, name: &str, data: &[u8]) {
        match name {
            "log" | "last" | "dup" | "flow_offload" => {}
            "meta" | "ct" if foreign::kept(name, data).is_some() => self.keep(name, data),
            // Comparisons follow if they load, and nothing that matters here if they write.
            "meta" | "ct" | "bitwise" | "byteorder" | "numgen" | "hash" | "immediate" => {
                self.registers.forget();
            }
            "notrack" => self.change(Effect::Untrack),
            "payload" => match foreign::written(data) {
                Some(it) => {
                    let len = usize::try_from(it.len).unwrap_or_default();
                    let bytes = self.registers.read(it.source, len);
                    if let Some(header) = header(it.base) {
                        let offset = it.offset;
                        self.change(Effect::Write {
                            header,
                            offset,
                            bytes,
                        });
                    }
                }
                None => self.registers.forget(),
            },
            "redir" => {
                let end = self.to_host(data).map_or(End::Readdress, End::Dnat);
                self.run.step.action = Action::End(end);
            }
            "tproxy" => self.run.step.action = Action::End(End::Readdress),
            "queue" | "synproxy" | "fwd" => self.run.step.action = Action::Anything,
            "objref" if foreign::counts(data) => {}
            "match" => self.ask(match foreign::asks(data) {
                Some(Asks::Nothing) => Answer::Yes,
                Some(Asks::State { mask, inverted }) => match self.subject.flow() {
                    Some(flow) => Answer::from(load::state(flow) & mask != 0).not_if(inverted),
                    None => Answer::Unknown,
                },
                None => Answer::Unknown,
            }),
            "target" if foreign::extension(data) == Some("MARK") => self.change(Effect::Mark),
            "target" if foreign::extension(data) == Some("CONNMARK") => {
                self.change(Effect::Mark);
                self.change(Effect::MarkConnection);
            }
            "target" if foreign::untracks(data) => self.change(Effect::Untrack),
            "target" => {
                let known = foreign::extension(data).and_then(xtables::target);
                self.run.step.action = known.unwrap_or(Action::Anything);
            }
            _ => {
                self.ask(Answer::Unknown);
                self.registers.forget();
            }
        }
    }
}

/// Whether an expression may give a packet's connection a mark.
pub(super) fn marks_connections(expression: &Expression) -> bool {
    let Expression::Unknown { name, data } = expression else {
        return false;
    };
    match name.as_str() {
        "ct" => foreign::kept(name, data).is_some_and(|(key, _)| key == load::CONNTRACK_MARK),
        "target" => foreign::extension(data) == Some("CONNMARK"),
        _ => false,
    }
}

/// Whether expressions leave a packet's way as it is.
fn only_logs(expressions: &[Expression]) -> bool {
    let logs = |expression: &Expression| match expression {
        Expression::Counter(_) | Expression::Limit(_) | Expression::Log(_) => true,
        Expression::Unknown { name, .. } => name == "log",
        _ => false,
    };
    expressions.iter().all(logs)
}

/// A header by the kernel's number.
pub(super) fn header(base: PayloadBase) -> Option<Header> {
    /// `NFT_PAYLOAD_LL_HEADER`.
    const LINK: PayloadBase = PayloadBase(0);
    match base {
        LINK => Some(Header::Link),
        PayloadBase::NETWORK => Some(Header::Network),
        PayloadBase::TRANSPORT => Some(Header::Transport),
        _ => None,
    }
}

fn compare(value: &[Byte], operator: Comparison, other: &[u8]) -> Answer {
    let wanted: &[_] = match operator {
        Comparison::Equal => return bits::equal(value, other),
        Comparison::NotEqual => return bits::equal(value, other).negated(),
        Comparison::Less => &[Less],
        Comparison::LessOrEqual => &[Less, Equal],
        Comparison::Greater => &[Greater],
        Comparison::GreaterOrEqual => &[Greater, Equal],
    };
    bits::compare(value, other, wanted)
}
