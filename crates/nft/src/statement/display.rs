//! Statements in nft syntax.

use std::fmt;

use super::raw::Raw;
use super::value::{write_hex, write_value, zero_ended};
use super::{Field, Match, Origin, Statement, Test, To, Translate, port_unreachable, quoted};
use crate::object::{
    Comparison, ConntrackKey, Counter, DataType, Family, MetaKey, NatKind, PayloadBase, Reject,
    RejectKind, Rule, Verdict,
};

impl Statement {
    /// The statement in nft syntax, in a table of this family. The alternate form (`{:#}`) leaves
    /// out what counters say, as `nft --stateless` does.
    pub fn text(&self, family: Family) -> impl fmt::Display + '_ {
        Text {
            statement: self,
            family,
        }
    }
}

struct Text<'a> {
    statement: &'a Statement,
    family: Family,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.statement {
            Statement::Match(matching) => write_match(f, matching, self.family),
            Statement::Counter(_) if f.alternate() => f.write_str("counter"),
            Statement::Counter(counter) => write!(f, "{counter}"),
            Statement::Verdict(verdict) => write!(f, "{verdict}"),
            Statement::Reject(reject) => write_reject(f, *reject, self.family),
            Statement::Translate(translate) => write_translate(f, *translate),
            Statement::Other(expression) => Raw(expression).fmt(f),
        }
    }
}

/// A rule in nft syntax, with its comment, as `nft list` prints it; the alternate form (`{:#}`) as
/// `nft --stateless list` does.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, statement) in super::statements(&self.expressions).iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            fmt::Display::fmt(&statement.text(self.family), f)?;
        }
        match self.userdata.text() {
            Some(comment) => write!(f, " comment {}", quoted(comment)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "counter packets {} bytes {}", self.packets, self.bytes)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop => f.write_str("drop"),
            Self::Accept => f.write_str("accept"),
            Self::Continue => f.write_str("continue"),
            Self::Return => f.write_str("return"),
            Self::Jump(chain) => write!(f, "jump {chain}"),
            Self::Goto(chain) => write!(f, "goto {chain}"),
            Self::Other(code) => write!(f, "verdict-{code}"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

fn write_match(f: &mut fmt::Formatter<'_>, matching: &Match, family: Family) -> fmt::Result {
    let (set, not) = match &matching.test {
        Test::Between(first, last) => return write_range(f, matching, family, "", (first, last)),
        Test::NotBetween(first, last) => {
            return write_range(f, matching, family, "!= ", (first, last));
        }
        Test::Compare(operator, value) => {
            return match matching.fields.as_slice() {
                [field] => write_comparison(f, field, *operator, value, family),
                _ => f.write_str("[compares several fields at once]"),
            };
        }
        Test::In(set) => (set, ""),
        Test::NotIn(set) => (set, "!= "),
    };
    for (i, field) in matching.fields.iter().enumerate() {
        let dot = if i > 0 { " . " } else { "" };
        write!(f, "{dot}{}", Named { field, family })?;
    }
    // `nft` wants an operator behind a mask that ends the left side.
    let masked = matching.fields.len() == 1 && matching.fields[0].mask.is_some();
    let not = if masked && not.is_empty() { "== " } else { not };
    write!(f, " {not}@{set}")
}

fn write_range(
    f: &mut fmt::Formatter<'_>,
    matching: &Match,
    family: Family,
    not: &str,
    (first, last): (&[u8], &[u8]),
) -> fmt::Result {
    let [field] = matching.fields.as_slice() else {
        return f.write_str("[a range of several fields at once]");
    };
    let kind = match (field.origin.address_of(family), first.len()) {
        (Some(_), 4) => DataType::IPV4_ADDR,
        (Some(_), 16) => DataType::IPV6_ADDR,
        (_, 2) => DataType::INET_SERVICE,
        _ => DataType::default(),
    };
    write!(f, "{} {not}", Named { field, family })?;
    write_value(f, kind, first)?;
    f.write_str("-")?;
    write_value(f, kind, last)
}

fn write_comparison(
    f: &mut fmt::Formatter<'_>,
    field: &Field,
    operator: Comparison,
    value: &[u8],
    family: Family,
) -> fmt::Result {
    let named = Named {
        field: &Field {
            origin: field.origin,
            mask: None,
        },
        family,
    };
    let not = if operator == Comparison::Equal {
        String::new()
    } else {
        format!("{operator} ")
    };
    match (field.origin, &field.mask) {
        (Origin::Conntrack(ConntrackKey::STATE), Some(mask))
            if operator == Comparison::NotEqual && value.iter().all(|&byte| byte == 0) =>
        {
            write!(f, "ct state ")?;
            write_states(f, mask)
        }
        (Origin::Meta(MetaKey::IIFNAME | MetaKey::OIFNAME), None) => {
            // A comparison of fewer than 16 bytes is one of the name's beginning, unless the zero
            // behind the name is among them.
            let beginning = value.len() < 16 && !value.ends_with(&[0]);
            let star = if beginning { "*" } else { "" };
            write!(
                f,
                "{named} {not}{}",
                quoted(&format!("{}{star}", zero_ended(value)))
            )
        }
        (Origin::Meta(MetaKey::IIF | MetaKey::OIF), None) => {
            let index = value.try_into().map(u32::from_ne_bytes).unwrap_or_default();
            write!(f, "{named} {not}{index}")
        }
        (Origin::Meta(MetaKey::L4PROTO), None) => match value {
            [1] => write!(f, "{named} {not}icmp"),
            [6] => write!(f, "{named} {not}tcp"),
            [17] => write!(f, "{named} {not}udp"),
            [58] => write!(f, "{named} {not}ipv6-icmp"),
            [other] => write!(f, "{named} {not}{other}"),
            _ => write_raw(f, &named, operator, value),
        },
        (origin, mask) => match origin.address_of(family) {
            Some(_) => match field.prefix(family, value) {
                Some((end, address, prefix)) => {
                    write!(f, "{} {not}{address}", EndName { family, end })?;
                    if u32::from(prefix) < Origin::address(family, end).width() * 8 {
                        write!(f, "/{prefix}")
                    } else {
                        Ok(())
                    }
                }
                None => write_raw(f, &Named { field, family }, operator, value),
            },
            None if origin.width() == 2 && mask.is_none() => {
                let number = value.try_into().map(u16::from_be_bytes).unwrap_or_default();
                write!(f, "{named} {not}{number}")
            }
            None => write_raw(f, &Named { field, family }, operator, value),
        },
    }
}

fn write_raw(
    f: &mut fmt::Formatter<'_>,
    named: &Named<'_>,
    operator: Comparison,
    value: &[u8],
) -> fmt::Result {
    write!(f, "{named} {operator} ")?;
    write_hex(f, value)
}

/// The names of the bits of `ct state`.
fn write_states(f: &mut fmt::Formatter<'_>, mask: &[u8]) -> fmt::Result {
    const NAMES: [(u32, &str); 5] = [
        (1, "invalid"),
        (2, "established"),
        (4, "related"),
        (8, "new"),
        (64, "untracked"),
    ];
    let bits = mask.try_into().map(u32::from_ne_bytes).unwrap_or_default();
    let named: Vec<&str> = NAMES
        .iter()
        .filter(|(bit, _)| bits & bit != 0)
        .map(|&(_, name)| name)
        .collect();
    f.write_str(&named.join(","))
}

fn write_reject(f: &mut fmt::Formatter<'_>, reject: Reject, family: Family) -> fmt::Result {
    if reject == port_unreachable(family) {
        return f.write_str("reject");
    }
    let icmp = if family == Family::Ip6 {
        "icmpv6"
    } else {
        "icmp"
    };
    match reject.kind {
        RejectKind::TCP_RESET => f.write_str("reject with tcp reset"),
        RejectKind::ICMPX_UNREACHABLE => write!(f, "reject with icmpx {}", reject.code),
        _ => write!(f, "reject with {icmp} {}", reject.code),
    }
}

fn write_translate(f: &mut fmt::Formatter<'_>, translate: Translate) -> fmt::Result {
    let mut target = String::new();
    match translate.to {
        To::OutgoingDevice => f.write_str("masquerade")?,
        To::Addresses { kind, range, .. } => {
            f.write_str(match kind {
                NatKind::Source => "snat",
                NatKind::Destination => "dnat",
            })?;
            if let Some((start, end)) = range {
                target = match (start, end) {
                    (start, end) if start == end => start.to_string(),
                    (start, end) => format!("{start}-{end}"),
                };
                if start.is_ipv6() && translate.ports.is_some() {
                    target = format!("[{target}]");
                }
            }
        }
    }
    if let Some((start, end)) = translate.ports {
        target.push_str(&format!(":{start}"));
        if start != end {
            target.push_str(&format!("-{end}"));
        }
    }
    if !target.is_empty() {
        write!(f, " to {target}")?;
    }
    // NF_NAT_RANGE_PROTO_RANDOM, _PERSISTENT and _PROTO_RANDOM_FULLY.
    let flags = [(4, "random"), (8, "persistent"), (16, "fully-random")];
    let named: Vec<&str> = flags
        .iter()
        .filter(|(bit, _)| translate.flags & bit != 0)
        .map(|&(_, name)| name)
        .collect();
    if named.is_empty() {
        Ok(())
    } else {
        write!(f, " {}", named.join(","))
    }
}

/// A field's name in nft.
struct Named<'a> {
    field: &'a Field,
    family: Family,
}

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (origin, family) = (self.field.origin, self.family);
        match origin {
            Origin::Meta(key) => match key {
                MetaKey::IIF => f.write_str("iif")?,
                MetaKey::OIF => f.write_str("oif")?,
                MetaKey::IIFNAME => f.write_str("iifname")?,
                MetaKey::OIFNAME => f.write_str("oifname")?,
                MetaKey::NFPROTO => f.write_str("meta nfproto")?,
                MetaKey::L4PROTO => f.write_str("meta l4proto")?,
                MetaKey(number) => write!(f, "meta key-{number}")?,
            },
            Origin::Conntrack(ConntrackKey::STATE) => f.write_str("ct state")?,
            Origin::Conntrack(ConntrackKey(number)) => write!(f, "ct key-{number}")?,
            Origin::Payload { base, offset, len } => match (origin.address_of(family), base) {
                (Some(end), _) => write!(f, "{}", EndName { family, end })?,
                (None, PayloadBase::TRANSPORT) if (offset, len) == (0, 2) => {
                    f.write_str("th sport")?;
                }
                (None, PayloadBase::TRANSPORT) if (offset, len) == (2, 2) => {
                    f.write_str("th dport")?;
                }
                (None, PayloadBase(number)) => {
                    let base = ["ll", "nh", "th"]
                        .get(number as usize)
                        .unwrap_or(&"payload");
                    write!(f, "@{base},{},{}", offset * 8, len * 8)?;
                }
            },
        }
        let Some(mask) = &self.field.mask else {
            return Ok(());
        };
        f.write_str(" & ")?;
        match mask.len() {
            4 if origin.address_of(family).is_some() => write_value(f, DataType::IPV4_ADDR, mask),
            16 => write_value(f, DataType::IPV6_ADDR, mask),
            _ => write_hex(f, mask),
        }
    }
}

/// `ip saddr`, `ip6 daddr`.
struct EndName {
    family: Family,
    end: super::End,
}

impl fmt::Display for EndName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match self.end {
            super::End::Source => "saddr",
            super::End::Destination => "daddr",
        };
        write!(f, "{} {end}", self.family)
    }
}

impl Origin {
    /// Which address of a packet of this family the bytes belong to, from its first byte on.
    #[must_use]
    pub fn address_of(self, family: Family) -> Option<super::End> {
        let Self::Payload {
            base: PayloadBase::NETWORK,
            offset,
            len,
        } = self
        else {
            return None;
        };
        if !matches!(family, Family::Ip | Family::Ip6) {
            return None; // Which header it is depends on the packet.
        }
        [super::End::Source, super::End::Destination]
            .into_iter()
            .find(|&end| {
                matches!(Self::address(family, end), Self::Payload { offset: first, len: whole, .. }
                if first == offset && (1..=whole).contains(&len))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Direction, End, address, address_field, expressions, in_set, interface, interface_field,
        known_flow, protocol, statements,
    };
    use super::*;
    use crate::object::Expression;
    use palisade_core::rules::Protocol;

    fn shown(family: Family, statement: &Statement) -> String {
        let alone = std::slice::from_ref(statement);
        let lowered = expressions(alone);
        assert_eq!(statements(&lowered), alone, "read back");
        statement.text(family).to_string()
    }

    #[test]
    fn as_nft_writes_it() {
        let v4 = |s| shown(Family::Ip, &s);
        let v6 = |s| shown(Family::Ip6, &s);
        let net = |text: &str| text.parse().unwrap();
        use Comparison::{Equal, NotEqual};
        assert_eq!(
            v4(interface(Direction::In, &"virbr0".parse().unwrap())),
            "iifname \"virbr0\""
        );
        assert_eq!(
            v4(address(End::Source, Equal, net("10.0.0.0/24"))),
            "ip saddr 10.0.0.0/24"
        );
        assert_eq!(
            v4(address(End::Source, Equal, net("10.0.0.0/26"))),
            "ip saddr 10.0.0.0/26"
        );
        assert_eq!(
            v4(address(End::Destination, NotEqual, net("10.1.2.3/32"))),
            "ip daddr != 10.1.2.3"
        );
        assert_eq!(
            v6(address(End::Destination, Equal, net("ff02::/16"))),
            "ip6 daddr ff02::/16"
        );
        assert_eq!(
            v6(address(End::Source, Equal, net("fd00::/61"))),
            "ip6 saddr fd00::/61"
        );
        assert_eq!(v4(known_flow()), "ct state established,related");
        assert_eq!(v4(protocol(Protocol::Udp)), "meta l4proto udp");
        let masked = || address_field(Family::Ip, End::Source, 24);
        assert_eq!(
            v4(in_set(
                vec![interface_field(Direction::Out), masked()],
                "out_24"
            )),
            "oifname . ip saddr & 255.255.255.0 @out_24"
        );
        assert_eq!(
            v4(in_set(vec![masked()], "nat_24")),
            "ip saddr & 255.255.255.0 == @nat_24"
        );
    }

    #[test]
    fn a_name_is_a_beginning_unless_its_end_is_compared() {
        let compared = |value: &[u8]| {
            let field = interface_field(Direction::In);
            let test = Test::Compare(Comparison::Equal, value.to_vec());
            let fields = vec![field];
            shown(Family::Ip, &Statement::Match(Match { fields, test }))
        };
        assert_eq!(compared(b"virbr"), "iifname \"virbr*\"");
        assert_eq!(compared(b"virbr0\0"), "iifname \"virbr0\"");
    }

    #[test]
    fn translations() {
        let snat = |start: [u8; 4], end: [u8; 4], ports| {
            Statement::Translate(Translate {
                to: To::Addresses {
                    kind: NatKind::Source,
                    family: Family::Ip,
                    range: Some((start.into(), end.into())),
                },
                ports,
                flags: 0,
            })
        };
        let ports = Some((1024, 65535));
        let masquerade = |ports| {
            let to = To::OutgoingDevice;
            Statement::Translate(Translate {
                to,
                ports,
                flags: 0,
            })
        };
        let v4 = |s| shown(Family::Ip, &s);
        assert_eq!(v4(masquerade(None)), "masquerade");
        assert_eq!(v4(masquerade(ports)), "masquerade to :1024-65535");
        assert_eq!(v4(masquerade(Some((7, 7)))), "masquerade to :7");
        assert_eq!(
            v4(snat([1, 2, 3, 4], [1, 2, 3, 4], None)),
            "snat to 1.2.3.4"
        );
        assert_eq!(
            v4(snat([1, 2, 3, 4], [1, 2, 3, 9], ports)),
            "snat to 1.2.3.4-1.2.3.9:1024-65535"
        );
    }

    #[test]
    fn what_is_not_understood_is_kept() {
        let unknown = Expression::Unknown {
            name: "limit".into(),
            data: vec![1, 2, 3],
        };
        let lonely = expressions(&[interface(Direction::In, &"eth0".parse().unwrap())])[0].clone();
        let read = statements(&[lonely.clone(), unknown.clone()]);
        assert_eq!(read, [Statement::Other(lonely), Statement::Other(unknown)]);
    }
}
