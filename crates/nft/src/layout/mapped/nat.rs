//! Translations: the chains that networks share that translate alike.

use palisade_core::network::{AddressRange, PortRange};
use palisade_core::rules::{Protocol, Translation};

use super::super::action;
use super::super::mark::SKELETON;
use super::super::table_ref::TableRef;
use crate::object::Rule;
use crate::statement::{self, Statement};

/// Part of names: what tells a translation from others.
pub(super) fn name(translation: Translation) -> String {
    let Translation { addresses, ports } = translation;
    match addresses {
        None => ports.to_string(),
        Some(addresses) => format!("{addresses}_{ports}"),
    }
}

/// The inverse of [`name`].
pub(super) fn from_name(name: &str) -> Option<Translation> {
    let (addresses, ports) = match name.split_once('_') {
        Some((addresses, ports)) => (Some(addresses), ports),
        None => (None, name),
    };
    let ends = |text| <str>::split_once(text, '-').unwrap_or((text, text));
    let (start, end) = ends(ports);
    let ports = PortRange::new(start.parse().ok()?, end.parse().ok()?).ok()?;
    let addresses = match addresses.map(ends) {
        Some((start, end)) => Some(AddressRange::new(start.parse().ok()?, end.parse().ok()?).ok()?),
        None => None,
    };
    Some(Translation { addresses, ports })
}

/// The translation in words.
pub(super) fn words(translation: Translation) -> String {
    let Translation { addresses, ports } = translation;
    match addresses {
        None => format!("to :{ports}"),
        Some(addresses) => format!("to {addresses}:{ports}"),
    }
}

/// The chain of a translation.
pub(super) fn chain(translation: Translation) -> String {
    format!("nat_{}", name(translation))
}

/// Whether a chain of this name is that of a translation.
pub(super) fn is_chain(name: &str) -> bool {
    let translation = name.strip_prefix("nat_").and_then(from_name);
    translation.is_some_and(|translation| chain(translation) == name)
}

/// The rules of a translation's chain. They have no counters: the elements that lead here have.
pub(super) fn rules(table: TableRef<'_>, translation: Translation) -> impl Iterator<Item = Rule> {
    let of_protocol = move |protocol: Option<Protocol>| {
        let matching = protocol.map(statement::protocol);
        let action = action::action(table, translation.action(protocol.is_some()));
        let statements: Vec<Statement> = matching.into_iter().chain(action).collect();
        let what = protocol.map_or("other protocols".to_owned(), |p| p.to_string());
        let comment = format!("{SKELETON}nat, {what}");
        table.rule(&chain(translation), &statements, &comment)
    };
    [Some(Protocol::Tcp), Some(Protocol::Udp), None]
        .into_iter()
        .map(of_protocol)
}
