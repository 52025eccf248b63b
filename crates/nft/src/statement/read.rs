//! From expressions back to statements.

use std::net::IpAddr;

use super::value::prefix_of;
use super::{Clamp, End, Field, Match, Origin, RANGE_ADDRESSES, RANGE_PORTS, Statement, Test, To};
use super::{Redirect, Translate};
use crate::object::{
    Bitwise, Compare, Comparison, Expression, Family, Lookup, LookupTarget, NatKind, Register,
};

/// What these expressions say. Nothing is left out: an expression that is not understood, or whose
/// value nobody uses, becomes [`Statement::Other`].
#[must_use]
pub fn statements(expressions: &[Expression]) -> Vec<Statement> {
    let mut reader = Reader::default();
    for expression in expressions {
        reader.take(expression);
    }
    reader.give_up();
    reader.out
}

impl Field {
    /// The addresses that equal `value` in this field, if it is one of a packet's addresses in a
    /// table of `family`, or the first bits of one: whose, the first of them, and how many bits
    /// count.
    #[must_use]
    pub fn prefix(&self, family: Family, value: &[u8]) -> Option<(End, IpAddr, u8)> {
        let end = self.origin.address_of(family)?;
        let prefix = match &self.mask {
            Some(mask) => prefix_of(mask)?,
            None => u8::try_from(self.origin.width() * 8).ok()?,
        };
        let mut bytes = value.to_vec();
        bytes.resize(Origin::address(family, end).width() as usize, 0);
        Some((end, to_address(&bytes)?, prefix))
    }
}

fn to_address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Some(octets.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

#[derive(Default)]
struct Reader {
    out: Vec<Statement>,
    /// What was loaded and not used yet, in the order of loading.
    loaded: Vec<Loaded>,
    /// The register of the one field that the last statement tests, where that came just before.
    tested: Option<Register>,
    /// What was looked up just before, and where the map's value is.
    looked_up: Option<LookedUp>,
}

/// A value that was looked up in a map.
struct LookedUp {
    fields: Vec<Field>,
    map: String,
    to: Register,
    expressions: Vec<Expression>,
}

/// A value in a register, and the expressions that put it there.
struct Loaded {
    register: Register,
    value: Source,
    expressions: Vec<Expression>,
}

enum Source {
    Field(Field),
    Constant(Vec<u8>),
    /// The segment size of the route, in the order of the network or not yet.
    RouteMss {
        is_turned: bool,
    },
}

impl Reader {
    fn take(&mut self, expression: &Expression) {
        let tested = self.tested.take();
        if self.looked_up.is_some() && self.redirect(expression).is_some() {
            return;
        }
        let understood = match expression {
            Expression::Meta(meta) => {
                self.load(expression, meta.destination, Origin::Meta(meta.key))
            }
            Expression::Conntrack(ct) => {
                self.load(expression, ct.destination, Origin::Conntrack(ct.key))
            }
            Expression::Fib(fib) => {
                let origin = Origin::Fib(fib.flags, fib.result);
                self.load(expression, fib.destination, origin)
            }
            Expression::Payload(payload) => {
                let (base, offset, len) = (payload.base, payload.offset, payload.len);
                let origin = Origin::Payload { base, offset, len };
                self.load(expression, payload.destination, origin)
            }
            Expression::Load(load) => self.hold(
                expression,
                load.destination,
                Source::Constant(load.value.clone()),
            ),
            Expression::Bitwise(bitwise) => self.mask(expression, bitwise),
            Expression::Compare(compare) if tested == Some(compare.source) => {
                self.range_end(compare)
            }
            Expression::Compare(compare) => {
                let test = Test::Compare(compare.operator, compare.value.clone());
                self.test(compare.source, test)
            }
            Expression::Range(range) => {
                let (first, last) = (range.first.clone(), range.last.clone());
                let test = if range.inverted {
                    Test::NotBetween(first, last)
                } else {
                    Test::Between(first, last)
                };
                self.test(range.source, test)
            }
            Expression::Lookup(lookup) if lookup.target == LookupTarget::None => {
                let set = lookup.set.clone();
                let test = if lookup.inverted {
                    Test::NotIn(set)
                } else {
                    Test::In(set)
                };
                self.test(lookup.source, test)
            }
            Expression::Lookup(Lookup {
                set,
                source,
                target: LookupTarget::Register(to),
                inverted: false,
                ..
            }) => self.look_up(expression, set, *source, *to),
            Expression::Masquerade(_) | Expression::Nat(_) => self.translate(expression),
            Expression::Counter(counter) => self.say(Statement::Counter(*counter)),
            Expression::Verdict(verdict) => self.say(Statement::Verdict(verdict.clone())),
            Expression::Reject(reject) => self.say(Statement::Reject(*reject)),
            Expression::RouteMss(at) => {
                self.hold(expression, *at, Source::RouteMss { is_turned: false })
            }
            Expression::NetworkOrder(at) => self.turn(expression, *at),
            Expression::SetMss(from) => self.clamp(*from),
            Expression::Limit(limit) => self.say(Statement::Limit(*limit)),
            Expression::Log(log) => self.say(Statement::Log(log.clone())),
            Expression::Lookup(_) | Expression::Unknown { .. } => None,
        };
        if understood.is_none() {
            self.give_up();
            self.out.push(Statement::Other(expression.clone()));
        }
    }

    /// What was loaded but not used is told as it is.
    fn give_up(&mut self) {
        let looked_up = self.looked_up.take().into_iter();
        let unused = looked_up.flat_map(|looked_up| looked_up.expressions);
        self.out.extend(unused.map(Statement::Other));
        let unused = self.loaded.drain(..).flat_map(|loaded| loaded.expressions);
        self.out.extend(unused.map(Statement::Other));
    }

    fn say(&mut self, statement: Statement) -> Option<()> {
        self.give_up();
        self.out.push(statement);
        Some(())
    }

    fn load(&mut self, expression: &Expression, at: Register, origin: Origin) -> Option<()> {
        let field = Field { origin, mask: None };
        self.hold(expression, at, Source::Field(field))
    }

    fn hold(&mut self, expression: &Expression, register: Register, value: Source) -> Option<()> {
        // A register that is loaded again before it was used: the first value had no meaning.
        if self.loaded.iter().any(|loaded| loaded.register == register) {
            self.give_up();
        }
        self.loaded.push(Loaded {
            register,
            value,
            expressions: vec![expression.clone()],
        });
        Some(())
    }

    /// The segment size of the route into the order of the network.
    fn turn(&mut self, expression: &Expression, at: Register) -> Option<()> {
        let loaded = self
            .loaded
            .last_mut()
            .filter(|loaded| loaded.register == at)?;
        match &mut loaded.value {
            Source::RouteMss { is_turned } if !*is_turned => *is_turned = true,
            _ => return None,
        }
        loaded.expressions.push(expression.clone());
        Some(())
    }

    /// The one value that was loaded is the segment size.
    fn clamp(&mut self, from: Register) -> Option<()> {
        let [loaded] = self.loaded.as_slice() else {
            return None;
        };
        let clamp = match &loaded.value {
            _ if loaded.register != from => return None,
            Source::RouteMss { is_turned: true } => Clamp::RouteMtu,
            Source::Constant(value) => {
                Clamp::Size(u16::from_be_bytes(value.as_slice().try_into().ok()?))
            }
            Source::RouteMss { .. } | Source::Field(_) => return None,
        };
        self.loaded.clear();
        self.out.push(Statement::ClampMss(clamp));
        Some(())
    }

    /// `FIELD & mask`, in place.
    fn mask(&mut self, expression: &Expression, bitwise: &Bitwise) -> Option<()> {
        let loaded = self.loaded.last_mut()?;
        let Source::Field(field) = &mut loaded.value else {
            return None;
        };
        let in_place = bitwise.source == loaded.register
            && bitwise.destination == loaded.register
            && bitwise.len == field.origin.width();
        let plain = bitwise.xor.iter().all(|&byte| byte == 0);
        if !in_place || !plain || field.mask.is_some() {
            return None;
        }
        field.mask = Some(bitwise.mask.clone());
        loaded.expressions.push(expression.clone());
        Some(())
    }

    /// All that was loaded makes one key of a map, whose value the next expression uses.
    fn look_up(
        &mut self,
        expression: &Expression,
        map: &str,
        source: Register,
        to: Register,
    ) -> Option<()> {
        let fields = self.fields(source)?;
        let loaded = self.loaded.drain(..);
        let mut expressions: Vec<_> = loaded.flat_map(|loaded| loaded.expressions).collect();
        expressions.push(expression.clone());
        self.looked_up = Some(LookedUp {
            fields,
            map: map.to_owned(),
            to,
            expressions,
        });
        Some(())
    }

    /// `dnat to FIELDS map @map`: address and port are what was looked up.
    fn redirect(&mut self, expression: &Expression) -> Option<()> {
        let read = |looked_up: &LookedUp| {
            let Expression::Nat(nat) = expression else {
                return None;
            };
            let width = Origin::address(nat.family, End::Destination).width();
            let port = looked_up.to.after(width);
            let is_it = nat.kind == NatKind::Destination
                && [nat.min_address, nat.max_address] == [Some(looked_up.to); 2]
                && [nat.min_port, nat.max_port] == [port; 2]
                && nat.flags == RANGE_ADDRESSES | RANGE_PORTS;
            is_it.then(|| {
                Statement::Redirect(Redirect {
                    family: nat.family,
                    fields: looked_up.fields.clone(),
                    map: looked_up.map.clone(),
                })
            })
        };
        match self.looked_up.as_ref().and_then(read) {
            Some(statement) => {
                self.looked_up = None;
                self.out.push(statement);
                Some(())
            }
            None => {
                self.give_up();
                None
            }
        }
    }

    /// All that was loaded makes one key, if it lies in registers one behind the other.
    fn test(&mut self, source: Register, test: Test) -> Option<()> {
        let fields = self.fields(source)?;
        self.loaded.clear();
        self.tested = (fields.len() == 1).then_some(source);
        self.out.push(Statement::Match(Match { fields, test }));
        Some(())
    }

    fn fields(&self, source: Register) -> Option<Vec<Field>> {
        let mut fields = Vec::with_capacity(self.loaded.len());
        let mut expected = Some(source);
        for loaded in &self.loaded {
            let Source::Field(field) = &loaded.value else {
                return None;
            };
            if Some(loaded.register) != expected {
                return None;
            }
            expected = loaded.register.after(field.origin.width());
            fields.push(field.clone());
        }
        (!fields.is_empty()).then_some(fields)
    }

    /// `10-20` is written as two comparisons of one register.
    fn range_end(&mut self, compare: &Compare) -> Option<()> {
        let Some(Statement::Match(Match { test, .. })) = self.out.last_mut() else {
            return None;
        };
        let Test::Compare(Comparison::GreaterOrEqual, first) = test else {
            return None;
        };
        let is_end = compare.operator == Comparison::LessOrEqual;
        if !is_end || !self.loaded.is_empty() || first.len() != compare.value.len() {
            return None;
        }
        *test = Test::Between(std::mem::take(first), compare.value.clone());
        Some(())
    }

    fn translate(&mut self, expression: &Expression) -> Option<()> {
        let (to, ports, flags) = match expression {
            Expression::Masquerade(masquerade) => (
                To::OutgoingDevice,
                self.ports(masquerade.min_port, masquerade.max_port)?,
                masquerade.flags,
            ),
            Expression::Nat(nat) => (
                To::Addresses {
                    kind: nat.kind,
                    family: nat.family,
                    range: self.addresses(nat.min_address, nat.max_address)?,
                },
                self.ports(nat.min_port, nat.max_port)?,
                nat.flags,
            ),
            _ => return None,
        };
        let mut used: Vec<Register> = match expression {
            Expression::Masquerade(m) => [m.min_port, m.max_port].into_iter().flatten().collect(),
            Expression::Nat(n) => [n.min_address, n.max_address, n.min_port, n.max_port]
                .into_iter()
                .flatten()
                .collect(),
            _ => return None,
        };
        used.dedup();
        if self
            .loaded
            .iter()
            .any(|loaded| !used.contains(&loaded.register))
        {
            return None;
        }
        self.loaded.clear();
        self.out.push(Statement::Translate(Translate {
            to,
            ports,
            flags: flags & !(RANGE_ADDRESSES | RANGE_PORTS),
        }));
        Some(())
    }

    /// The constants behind two registers; `Some(None)` where there are none.
    fn range<T>(
        &self,
        ends: (Option<Register>, Option<Register>),
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Option<Option<(T, T)>> {
        let Some(min) = ends.0 else {
            return ends.1.is_none().then_some(None);
        };
        let constant = |register| {
            self.loaded.iter().find_map(|loaded| match &loaded.value {
                Source::Constant(value) if loaded.register == register => read(value),
                _ => None,
            })
        };
        Some(Some((constant(min)?, constant(ends.1.unwrap_or(min))?)))
    }

    fn ports(&self, min: Option<Register>, max: Option<Register>) -> Option<Option<(u16, u16)>> {
        self.range((min, max), |value| {
            value.try_into().ok().map(u16::from_be_bytes)
        })
    }

    fn addresses(
        &self,
        min: Option<Register>,
        max: Option<Register>,
    ) -> Option<Option<(IpAddr, IpAddr)>> {
        self.range((min, max), to_address)
    }
}
