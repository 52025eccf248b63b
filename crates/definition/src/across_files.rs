//! Checks of all networks of a command together: duplicates and conflicts.

use std::collections::HashMap;

use palisade_core::network::{Conflict, Name, conflicts};

use super::conflict_fault::ConflictFault;
use super::draft::LocatedNetwork;
use super::duplicate_fault::DuplicateFault;
use super::error::DefinitionError;
use super::source::SourceText;
use super::span::Span;
use super::spanned_fault::AtSpan;

/// A network, and the text that defines it.
type Defined<'a> = (&'a SourceText, &'a LocatedNetwork);

/// The definitions of each name, and the names in the order of the texts.
struct ByName<'a> {
    names: Vec<&'a Name>,
    definitions: HashMap<&'a Name, Vec<Defined<'a>>>,
}

impl<'a> ByName<'a> {
    fn new(read: &'a [(SourceText, Vec<LocatedNetwork>)]) -> Self {
        let mut names = Vec::new();
        let mut definitions: HashMap<_, Vec<Defined<'a>>> = HashMap::new();
        for (text, networks) in read {
            for located in networks {
                let name = located.network.name();
                let defined = definitions.entry(name).or_insert_with(|| {
                    names.push(name);
                    Vec::new()
                });
                defined.push((text, located));
            }
        }
        Self { names, definitions }
    }

    fn of(&self, name: &Name) -> &[Defined<'a>] {
        self.definitions.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Returns an error for each name that several files define, at its first definition.
///
/// Two definitions in one file are a conflict: see [`conflict_errors`].
pub(crate) fn duplicate_errors(read: &[(SourceText, Vec<LocatedNetwork>)]) -> Vec<DefinitionError> {
    let by_name = ByName::new(read);
    let error = |&name: &&Name| {
        let [(first, located), others @ ..] = by_name.of(name) else {
            return None;
        };
        let mut files = vec![&first.source];
        for (text, _) in others {
            if !files.contains(&&text.source) {
                files.push(&text.source);
            }
        }
        let others: Vec<_> = files[1..].iter().map(|&source| source.clone()).collect();
        let name = name.clone();
        let fault = (!others.is_empty()).then_some(DuplicateFault { name, others })?;
        Some(DefinitionError::within(first, fault.at(located.name)))
    };
    by_name.names.iter().filter_map(error).collect()
}

/// Returns an error for each conflict between two networks, at the second of them.
pub(crate) fn conflict_errors(read: &[(SourceText, Vec<LocatedNetwork>)]) -> Vec<DefinitionError> {
    let networks = read.iter().flat_map(|(_, networks)| networks);
    let found = conflicts(networks.map(|located| &located.network));
    if found.is_empty() {
        return Vec::new();
    }
    let by_name = ByName::new(read);
    let error = |conflict: Conflict| {
        let [first, second] = conflict.networks();
        let which = usize::from(matches!(conflict, Conflict::Name { .. }));
        let &(text, located) = by_name.of(first).first()?;
        let first = text.place(span(located, &conflict, 0));
        let &(text, located) = by_name.of(second).get(which)?;
        let span = span(located, &conflict, 1);
        let fault = ConflictFault { conflict, first };
        Some(DefinitionError::within(text, fault.at(span)))
    };
    found.into_iter().filter_map(error).collect()
}

/// The span of the value in conflict, in the first (0) or the second (1) network.
fn span(located: &LocatedNetwork, conflict: &Conflict, which: usize) -> Span {
    let found = match conflict {
        Conflict::Bridge { .. } => located.bridge,
        Conflict::Subnet {
            first_subnet,
            second_subnet,
            ..
        } => {
            let wanted = [first_subnet, second_subnet][which];
            let mut subnets = located.subnets.iter();
            let found = subnets.find(|subnet| subnet.value == *wanted);
            found.map(|subnet| subnet.span)
        }
        _ => None,
    };
    found.unwrap_or(located.name)
}
