//! Networks of one command that exclude one another.

use std::collections::HashMap;

use palisade_core::network::{Conflict, Name, conflicts};
use thiserror::Error;

use super::draft::Drawn;
use super::error::DefinitionError;
use super::place::{Place, Placed, Span, without_mark};
use super::source::Text;

/// Two networks that exclude one another. The error is one of the second; where the first stands is
/// said too, since people find networks by their files.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{conflict} (the first is at {first})")]
pub struct Clash {
    /// What they both have.
    pub conflict: Conflict,
    /// Where the first of them has it: `FILE:LINE:COLUMN`.
    pub first: String,
}

impl Clash {
    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.conflict.hint()
    }
}

/// A network, and the text that defines it.
type Defined<'a> = (&'a Text, &'a Drawn);

/// Each conflict between networks of these texts, as an error of the second of the two.
pub(super) fn clashes(read: &[(Text, Vec<Drawn>)]) -> Vec<DefinitionError> {
    let networks = read.iter().flat_map(|(_, networks)| networks);
    let found = conflicts(networks.map(|drawn| &drawn.network));
    if found.is_empty() {
        return Vec::new();
    }
    let mut defined: HashMap<&Name, Vec<Defined<'_>>> = HashMap::new();
    for (text, networks) in read {
        for drawn in networks {
            let named = defined.entry(drawn.network.name()).or_default();
            named.push((text, drawn));
        }
    }
    let error = |conflict: Conflict| {
        let [first, second] = conflict.networks();
        let which = usize::from(first == second);
        let &(text, drawn) = defined.get(first)?.first()?;
        let first = told(text, said(drawn, &conflict, 0));
        let &(text, drawn) = defined.get(second)?.get(which)?;
        let span = said(drawn, &conflict, 1);
        let problem = Clash { conflict, first }.at(span);
        Some(DefinitionError::within(text, problem))
    };
    found.into_iter().filter_map(error).collect()
}

/// Where a network says what is in conflict: the first of the two, or the second.
fn said(drawn: &Drawn, conflict: &Conflict, which: usize) -> Span {
    let found = match conflict {
        Conflict::Bridge { .. } => drawn.bridge,
        Conflict::Subnet {
            first_subnet,
            second_subnet,
            ..
        } => {
            let wanted = [first_subnet, second_subnet][which];
            let mut subnets = drawn.subnets.iter();
            let found = subnets.find(|subnet| subnet.value == *wanted);
            found.map(|subnet| subnet.span)
        }
        _ => None,
    };
    found.unwrap_or(drawn.name)
}

fn told(text: &Text, span: Span) -> String {
    let place = Place::new(without_mark(&text.bytes), span);
    format!("{}:{}:{}", text.source, place.line, place.column)
}
