//! The sources of guests' packets: the chains in which forged ones are found.
//!
//! The host's own routes say which sources are behind a bridge. So an address that is added to the bridge,
//! a subnet that is routed to a guest and link-local addresses are known here without an element. The
//! exceptions are met only by packets whose source is not behind the bridge.

use palisade_core::rules::Unaddressed;

use super::super::mark::SKELETON;
use super::super::table_ref::{MANGLE, TableRef, base};
use super::set_kind::{FORGED, PREROUTING, SetKind};
use crate::object::{Chain, Comparison, Hook, Rule, Verdict};
use crate::statement::{self, Direction, End, Statement};

/// The chains, the one that is jumped to before the one that jumps.
pub(super) fn chains(table: TableRef<'_>) -> [Chain; 2] {
    let prerouting = base("filter", Hook::PREROUTING, MANGLE);
    [
        table.chain(FORGED, None, "sources that are not behind the bridge"),
        table.chain(PREROUTING, Some(prerouting), "packets as they come in"),
    ]
}

/// The rules above the look-up of forged sources.
pub(super) fn rules(table: TableRef<'_>) -> [Rule; 2] {
    let interface = statement::interface_field(Direction::In);
    let entrance = [
        statement::in_set(vec![interface], SetKind::Bridges.row().name),
        statement::no_reverse_path(),
        Statement::Verdict(Verdict::Jump(FORGED.to_owned())),
    ];
    let comment = format!("{SKELETON}a source that is not behind the bridge");
    [
        table.rule(PREROUTING, &entrance, &comment),
        unaddressed(table),
    ]
}

fn unaddressed(table: TableRef<'_>) -> Rule {
    let Unaddressed { source, service } = Unaddressed::of(table.family);
    let source = statement::address(End::Source, Comparison::Equal, source.into());
    let service = service.into_iter().flat_map(|(protocol, port)| {
        [
            statement::protocol(protocol),
            statement::port(End::Destination, port),
        ]
    });
    let accept = Statement::Verdict(Verdict::Accept);
    let statements: Vec<Statement> = [source]
        .into_iter()
        .chain(service)
        .chain([accept])
        .collect();
    let comment = format!("{SKELETON}a guest without an address");
    table.rule(FORGED, &statements, &comment)
}
