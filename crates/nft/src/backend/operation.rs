//! Operations on a table: how each is sent and how it is printed.

use palisade_core::backend::{Line, Sign};
use palisade_core::network::{Family, Name};

use crate::batch::{At, Batch};
use crate::layout::{self, TableName};
use crate::object::{self, Chain, Element, Rule, Set, Table};
use crate::program::{chain_in_a_line, set_in_a_line};
use crate::statement::quoted;

/// One operation on a table. What is deleted with something else is named for those who read it; the
/// kernel is told of the whole alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    AddTable(Table, Set),
    /// Switches the rules of a dormant table on.
    WakeTable,
    /// With the rules and elements of networks that are deleted with it.
    DeleteTable(Vec<Operation>),
    AddChain(Chain),
    DeleteChain(String),
    AddSet(Set),
    /// With the elements of networks that are deleted with it.
    DeleteSet(String, Vec<Element>),
    AddRule(Rule, At),
    DeleteRule(Rule),
    AddElements(String, Vec<Element>),
    /// The comment of each is the network that it is recorded for.
    DeleteElements(String, Vec<Element>),
}

/// A table of a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableId {
    pub(super) family: Family,
    pub(super) name: TableName,
}

impl Operation {
    /// Whether something is deleted.
    pub(super) fn deletes(&self) -> bool {
        matches!(
            self,
            Self::DeleteTable(_)
                | Self::DeleteChain(_)
                | Self::DeleteSet(..)
                | Self::DeleteRule(_)
                | Self::DeleteElements(..)
        )
    }

    /// Appends its messages.
    pub(super) fn send(&self, table: &TableId, batch: &mut Batch) {
        let (family, name) = (table.family.into(), table.name.as_str());
        match self {
            Self::AddTable(table, transaction) => {
                batch.add_table(table);
                batch.add_set(transaction);
            }
            Self::WakeTable => batch.wake_table(family, name),
            Self::DeleteTable(_) => batch.delete_table(family, name),
            Self::AddChain(chain) => batch.add_chain(chain),
            Self::DeleteChain(chain) => batch.delete_chain(family, name, chain),
            Self::AddSet(set) => batch.add_set(set),
            Self::DeleteSet(set, _) => batch.delete_set(family, name, set),
            Self::AddRule(rule, at) => batch.add_rule(rule, *at),
            Self::DeleteRule(rule) => {
                if let Some(handle) = rule.handle {
                    batch.delete_rule(family, name, &rule.chain, handle);
                }
            }
            Self::AddElements(set, elements) => batch.add_elements(family, name, set, elements),
            Self::DeleteElements(set, elements) => {
                batch.delete_elements(family, name, set, elements);
            }
        }
    }

    /// Appends its lines.
    pub(super) fn print(&self, table: &TableId, lines: &mut Vec<Line>) {
        let mut line = |network: Option<Name>, sign, object: &str, text: &str| {
            let (family, name) = (object::Family::from(table.family), &table.name);
            let space = if text.is_empty() { "" } else { " " };
            lines.push(Line {
                network,
                sign,
                text: format!("{object} {family} {name}{space}{text}"),
            });
        };
        match self {
            Self::AddTable(..) => line(None, Sign::Comes, "table", ""),
            Self::WakeTable => line(None, Sign::Comes, "table", "not dormant"),
            Self::DeleteTable(with_it) => {
                line(None, Sign::Goes, "table", "");
                with_it.iter().for_each(|inner| inner.print(table, lines));
            }
            Self::AddChain(chain) => line(None, Sign::Comes, "chain", &chain_in_a_line(chain)),
            Self::DeleteChain(chain) => line(None, Sign::Goes, "chain", chain),
            Self::AddSet(set) => line(None, Sign::Comes, "set", &set_in_a_line(set)),
            Self::DeleteSet(set, with_it) => {
                line(None, Sign::Goes, "set", set);
                print_elements(table, Sign::Goes, set, with_it, line);
            }
            Self::AddRule(rule, _) => {
                let text = format!("{} {rule:#}", rule.chain);
                line(network_of(rule), Sign::Comes, "rule", &text);
            }
            Self::DeleteRule(rule) => {
                let text = format!("{} {rule:#}", rule.chain);
                line(network_of(rule), Sign::Goes, "rule", &text);
            }
            Self::AddElements(set, elements) => {
                print_elements(table, Sign::Comes, set, elements, line);
            }
            Self::DeleteElements(set, elements) => {
                print_elements(table, Sign::Goes, set, elements, line);
            }
        }
    }
}

/// The network that a rule's comment names.
fn network_of(rule: &Rule) -> Option<Name> {
    layout::tag_of_rule(rule).map(|(network, _)| network)
}

fn print_elements(
    table: &TableId,
    sign: Sign,
    set: &str,
    elements: &[Element],
    mut line: impl FnMut(Option<Name>, Sign, &str, &str),
) {
    for element in elements {
        let key = layout::key_text(table.family, set, &element.key);
        let owner = element.userdata.text();
        let text = match owner {
            Some(owner) => format!("{set} {{ {key} comment {} }}", quoted(owner)),
            None => format!("{set} {{ {key} }}"),
        };
        let network = owner.and_then(Name::from_comment);
        line(network, sign, "element", &text);
    }
}
