//! Expressions one by one, for rules that nft has no word for that we know: near to what
//! `nft --debug=netlink` prints, and seen to be no nft syntax.

use std::fmt::{self, Display};

use super::value::write_hex;
use crate::object::{Comparison, Expression, LookupTarget, NatKind, Register, Verdict};

/// An expression in brackets.
pub(crate) struct Raw<'a>(pub(crate) &'a Expression);

impl Display for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        write(f, self.0)?;
        f.write_str("]")
    }
}

fn write(f: &mut fmt::Formatter<'_>, expression: &Expression) -> fmt::Result {
    match expression {
        Expression::Meta(meta) => {
            write!(f, "meta load key {} => {}", meta.key.0, meta.destination)
        }
        Expression::Payload(payload) => write!(
            f,
            "payload load {}b @ base {} + {} => {}",
            payload.len, payload.base.0, payload.offset, payload.destination
        ),
        Expression::Bitwise(bitwise) => {
            write!(
                f,
                "bitwise {} = ({} & ",
                bitwise.destination, bitwise.source
            )?;
            write_hex(f, &bitwise.mask)?;
            f.write_str(") ^ ")?;
            write_hex(f, &bitwise.xor)
        }
        Expression::Compare(compare) => {
            write!(f, "cmp {} {} ", operator(compare.operator), compare.source)?;
            write_hex(f, &compare.value)
        }
        Expression::Range(range) => {
            let is = if range.inverted { "neq" } else { "eq" };
            write!(f, "range {is} {} ", range.source)?;
            write_hex(f, &range.first)?;
            f.write_str(" ")?;
            write_hex(f, &range.last)
        }
        Expression::Lookup(lookup) => {
            let is = if lookup.inverted { "not in" } else { "in" };
            write!(f, "lookup {} {is} set {}", lookup.source, lookup.set)?;
            match lookup.target {
                LookupTarget::None => Ok(()),
                LookupTarget::Register(register) => write!(f, " => {register}"),
                LookupTarget::Verdict => f.write_str(" => verdict"),
            }
        }
        Expression::Load(load) => {
            write!(f, "immediate {} ", load.destination)?;
            write_hex(f, &load.value)
        }
        Expression::Verdict(verdict) => write_verdict(f, verdict),
        Expression::Conntrack(ct) => write!(f, "ct load key {} => {}", ct.key.0, ct.destination),
        Expression::Fib(fib) => write!(
            f,
            "fib flags {} result {} => {}",
            fib.flags.0, fib.result.0, fib.destination
        ),
        Expression::Counter(counter) => counter.fmt(f),
        Expression::Reject(reject) => {
            write!(f, "reject type {} code {}", reject.kind.0, reject.code)
        }
        Expression::RouteMss(to) => {
            write!(f, "rt tcpmss")?;
            write_registers(f, [Some(*to), None])
        }
        Expression::NetworkOrder(at) => {
            write!(f, "byteorder hton")?;
            write_registers(f, [Some(*at), None])
        }
        Expression::SetMss(from) => {
            write!(f, "tcp option maxseg")?;
            write_registers(f, [Some(*from), None])
        }
        Expression::Limit(limit) => write!(
            f,
            "limit rate {}/{}s burst {}",
            limit.rate, limit.seconds, limit.burst
        ),
        Expression::Log(log) => {
            write!(f, "log prefix {:?}", log.prefix)?;
            log.group
                .map_or(Ok(()), |group| write!(f, " group {group}"))
        }
        Expression::Masquerade(masquerade) => {
            write!(f, "masq flags {:#x}", masquerade.flags)?;
            write_registers(f, [masquerade.min_port, masquerade.max_port])
        }
        Expression::Nat(nat) => {
            let kind = match nat.kind {
                NatKind::Source => "snat",
                NatKind::Destination => "dnat",
            };
            write!(f, "nat {kind} {} flags {:#x}", nat.family, nat.flags)?;
            write_registers(f, [nat.min_address, nat.max_address])?;
            write_registers(f, [nat.min_port, nat.max_port])
        }
        Expression::Unknown { name, data } => write!(f, "{name} of {} bytes", data.len()),
    }
}

fn operator(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Equal => "eq",
        Comparison::NotEqual => "neq",
        Comparison::Less => "lt",
        Comparison::LessOrEqual => "lte",
        Comparison::Greater => "gt",
        Comparison::GreaterOrEqual => "gte",
    }
}

fn write_verdict(f: &mut fmt::Formatter<'_>, verdict: &Verdict) -> fmt::Result {
    match verdict {
        Verdict::Drop => f.write_str("drop"),
        Verdict::Accept => f.write_str("accept"),
        Verdict::Continue => f.write_str("continue"),
        Verdict::Return => f.write_str("return"),
        Verdict::Jump(chain) => write!(f, "jump {chain}"),
        Verdict::Goto(chain) => write!(f, "goto {chain}"),
        Verdict::Other(number) => write!(f, "verdict {number}"),
    }
}

fn write_registers(f: &mut fmt::Formatter<'_>, ends: [Option<Register>; 2]) -> fmt::Result {
    for end in ends {
        match end {
            Some(register) => write!(f, " {register}")?,
            None => f.write_str(" -")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{Compare, Meta, MetaKey};

    #[test]
    fn what_nft_has_no_word_for() {
        let register = Register::FIRST;
        let mark = Expression::Meta(Meta {
            key: MetaKey(3),
            destination: register,
        });
        assert_eq!(
            Raw(&mark).to_string(),
            format!("[meta load key 3 => {register}]")
        );
        let compare = Expression::Compare(Compare {
            source: register,
            operator: Comparison::NotEqual,
            value: vec![0, 7],
        });
        assert_eq!(
            Raw(&compare).to_string(),
            format!("[cmp neq {register} 0x0007]")
        );
    }
}
