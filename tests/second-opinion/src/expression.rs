//! Expressions, as rustables has them.

use palisade_nft::object::{
    Bitwise, Comparison, ConntrackKey, Expression, Lookup, LookupTarget, Masquerade, MetaKey, Nat,
    NatKind, Register, Reject, RejectKind, Verdict,
};
use rustables::expr::{self, CmpOp, IcmpCode, MetaType, NatType, RawExpression, RejectType};

use crate::family::family;

/// The expression, if rustables can say all of it.
#[must_use]
pub fn expression(expression: &Expression) -> Option<RawExpression> {
    Some(match expression {
        Expression::Meta(meta) => expr::Meta::default()
            .with_key(meta_key(meta.key)?)
            .with_dreg(register(meta.destination)?)
            .into(),
        Expression::Payload(payload) => expr::Payload::default()
            .with_base(payload.base.0)
            .with_offset(payload.offset)
            .with_len(payload.len)
            .with_dreg(register(payload.destination)?)
            .into(),
        Expression::Bitwise(bitwise) => self::bitwise(bitwise)?.into(),
        Expression::Compare(compare) => {
            expr::Cmp::new(operator(compare.operator), compare.value.as_slice())
                .with_sreg(register(compare.source)?)
                .into()
        }
        Expression::Lookup(lookup) => self::lookup(lookup)?.into(),
        Expression::Load(load) => {
            expr::Immediate::new_data(load.value.clone(), register(load.destination)?).into()
        }
        Expression::Verdict(verdict) => {
            expr::Immediate::new_verdict(self::verdict(verdict)?).into()
        }
        Expression::Conntrack(conntrack) => {
            let key = match conntrack.key {
                ConntrackKey::STATE => expr::ConntrackKey::State,
                ConntrackKey(3) => expr::ConntrackKey::Mark,
                _ => return None,
            };
            expr::Conntrack::new(key)
                .with_dreg(register(conntrack.destination)?)
                .into()
        }
        Expression::Counter(counter) => expr::Counter::default()
            .with_nb_packets(counter.packets)
            .with_nb_bytes(counter.bytes)
            .into(),
        Expression::Reject(reject) => self::reject(*reject)?.into(),
        // It has no ports and no flags.
        Expression::Masquerade(masquerade) if *masquerade == Masquerade::default() => {
            expr::Masquerade {}.into()
        }
        Expression::Nat(nat) => self::nat(nat)?.into(),
        _ => return None,
    })
}

/// It knows only those that begin at every fourth word.
fn register(register: Register) -> Option<expr::Register> {
    Some(match register.word() {
        0 => expr::Register::Reg1,
        4 => expr::Register::Reg2,
        8 => expr::Register::Reg3,
        12 => expr::Register::Reg4,
        _ => return None,
    })
}

fn meta_key(key: MetaKey) -> Option<MetaType> {
    Some(match key {
        MetaKey(1) => MetaType::Protocol,
        MetaKey(3) => MetaType::Mark,
        MetaKey::IIF => MetaType::Iif,
        MetaKey::OIF => MetaType::Oif,
        MetaKey::IIFNAME => MetaType::IifName,
        MetaKey::OIFNAME => MetaType::OifName,
        MetaKey(10) => MetaType::SkUid,
        MetaKey(15) => MetaType::NfProto,
        MetaKey::L4PROTO => MetaType::L4Proto,
        _ => return None,
    })
}

fn bitwise(bitwise: &Bitwise) -> Option<expr::Bitwise> {
    let out = expr::Bitwise::new(bitwise.mask.as_slice(), bitwise.xor.as_slice()).ok()?;
    Some(
        out.with_len(bitwise.len)
            .with_sreg(register(bitwise.source)?)
            .with_dreg(register(bitwise.destination)?),
    )
}

fn operator(operator: Comparison) -> CmpOp {
    match operator {
        Comparison::Equal => CmpOp::Eq,
        Comparison::NotEqual => CmpOp::Neq,
        Comparison::Less => CmpOp::Lt,
        Comparison::LessOrEqual => CmpOp::Lte,
        Comparison::Greater => CmpOp::Gt,
        Comparison::GreaterOrEqual => CmpOp::Gte,
    }
}

/// It has no flags, so no lookup is inverted.
fn lookup(lookup: &Lookup) -> Option<expr::Lookup> {
    let mut out = expr::Lookup::default()
        .with_set(&lookup.set)
        .with_sreg(register(lookup.source)?);
    match lookup.target {
        LookupTarget::None => {}
        LookupTarget::Register(target) => out.set_dreg(register(target)?),
        LookupTarget::Verdict => out.set_dreg(expr::Register::Verdict),
    }
    if let Some(id) = lookup.set_id {
        out.set_set_id(id);
    }
    (!lookup.inverted).then_some(out)
}

fn verdict(verdict: &Verdict) -> Option<expr::VerdictKind> {
    Some(match verdict {
        Verdict::Drop => expr::VerdictKind::Drop,
        Verdict::Accept => expr::VerdictKind::Accept,
        Verdict::Continue => expr::VerdictKind::Continue,
        Verdict::Return => expr::VerdictKind::Return,
        Verdict::Jump(chain) => expr::VerdictKind::Jump {
            chain: chain.clone(),
        },
        Verdict::Goto(chain) => expr::VerdictKind::Goto {
            chain: chain.clone(),
        },
        Verdict::Other(3) => expr::VerdictKind::Queue,
        Verdict::Other(-2) => expr::VerdictKind::Break,
        Verdict::Other(_) => return None,
    })
}

/// It knows four codes, those of `icmpx`, whatever the kind.
fn reject(reject: Reject) -> Option<expr::Reject> {
    let kind = match reject.kind {
        RejectKind::ICMP_UNREACHABLE => RejectType::IcmpUnreach,
        RejectKind::TCP_RESET => RejectType::TcpRst,
        RejectKind::ICMPX_UNREACHABLE => RejectType::IcmpxUnreach,
        _ => return None,
    };
    let code = match reject.code {
        0 => IcmpCode::NoRoute,
        1 => IcmpCode::PortUnreach,
        2 => IcmpCode::HostUnreach,
        3 => IcmpCode::AdminProhibited,
        _ => return None,
    };
    Some(expr::Reject::default().with_type(kind).with_icmp_code(code))
}

/// It has one address and one port, no ranges and no flags.
fn nat(nat: &Nat) -> Option<expr::Nat> {
    if nat.max_address.is_some() || nat.max_port.is_some() || nat.flags != 0 {
        return None;
    }
    let kind = match nat.kind {
        NatKind::Source => NatType::SNat,
        NatKind::Destination => NatType::DNat,
    };
    let mut out = expr::Nat::default()
        .with_nat_type(kind)
        .with_family(family(nat.family)?);
    if let Some(address) = nat.min_address {
        out.set_ip_register(register(address)?);
    }
    if let Some(port) = nat.min_port {
        out.set_port_register(register(port)?);
    }
    Some(out)
}
