//! What becomes of a packet, as nf_tables' statements.

use palisade_core::network::{MssClamp, PortRange};
use palisade_core::rules::Action;

use super::admin;
use super::log;
use super::table_ref::TableRef;
use crate::object::{NatKind, Verdict};
use crate::statement::{self, Clamp, Statement, To, Translate};

/// The chain of the bridges between which networks may keep their sources.
pub(super) const BETWEEN: &str = "guest_between";

/// The chain in which the network of a packet's sender decides.
pub(super) const FROM_GUEST: &str = "guest_output";

/// An action as a statement; none if nf_tables has no such action.
pub(super) fn action(table: TableRef<'_>, action: Action) -> Option<Statement> {
    let ports = |ports: Option<PortRange>| ports.map(|ports| (ports.start(), ports.end()));
    let translate = |to, ports| {
        Statement::Translate(Translate {
            to,
            ports,
            flags: 0,
        })
    };
    Some(match action {
        Action::Accept => Statement::Verdict(Verdict::Accept),
        Action::Return => Statement::Verdict(Verdict::Return),
        Action::Drop => Statement::Verdict(Verdict::Drop),
        Action::Reject => Statement::Reject(statement::port_unreachable(table.family())),
        Action::Masquerade { ports: range } => translate(To::OutgoingDevice, ports(range)),
        Action::Snat {
            addresses,
            ports: range,
        } => {
            let to = To::Addresses {
                kind: NatKind::Source,
                family: table.family(),
                range: Some((addresses.start().into(), addresses.end().into())),
            };
            translate(to, ports(range))
        }
        Action::ClampMss(clamp) => self::clamp(clamp),
        Action::Log(refused) => Statement::Log(log::log(&refused)),
        Action::Dnat { address, port } => {
            let to = To::Addresses {
                kind: NatKind::Destination,
                family: table.family(),
                range: Some((address, address)),
            };
            translate(to, Some((port, port)))
        }
        Action::SenderDecides => Statement::Verdict(Verdict::Jump(FROM_GUEST.to_owned())),
        Action::BetweenNetworks => Statement::Verdict(Verdict::Jump(BETWEEN.to_owned())),
        Action::Administrator(chain) => {
            Statement::Verdict(Verdict::Jump(admin::name(chain).to_owned()))
        }
        Action::FillChecksum => return None,
    })
}

/// `tcp option maxseg size set ...`.
pub(super) fn clamp(clamp: MssClamp) -> Statement {
    Statement::ClampMss(match clamp {
        MssClamp::RouteMtu => Clamp::RouteMtu,
        MssClamp::Size(size) => Clamp::Size(size.bytes()),
    })
}
