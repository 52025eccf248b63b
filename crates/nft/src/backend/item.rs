//! Rules and elements of networks, and what identifies them in records.

use palisade_core::backend::Installed;
use palisade_core::identity::{Identity, Key, RuleIdentity};
use palisade_core::network::Family;
use palisade_core::rules::Matches;

use crate::identity::{comment, digest};
use crate::layout::{self, Item, SetId};
use crate::object::{Element, ElementRef};

/// A rule or element of a network, and its record.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) item: Item,
    pub(super) installed: Installed,
}

impl Wanted {
    pub(super) fn new(family: Family, table: &str, item: Item) -> Self {
        let (place, identity) = match &item {
            Item::Rule(rule) => {
                let identity = RuleIdentity {
                    comment: comment(rule).to_owned(),
                    digest: digest(rule),
                };
                (rule.chain.clone(), Identity::Rule(identity))
            }
            Item::Element { set, element } => {
                let identity = ElementRef::from(element).identity();
                (set.name(), Identity::Element(Key(identity.collect())))
            }
        };
        let installed = Installed {
            family,
            table: table.to_owned(),
            place,
            item: identity,
        };
        Self { item, installed }
    }
}

/// The set that a record names as an element's place; none if the place is a chain.
pub(super) fn set_of(place: &str) -> Option<SetId> {
    SetId::from_name(place)
}

/// An element of a network that is recorded so, with nothing but its key.
pub(super) fn element_of(family: Family, place: &str, identity: &[u8]) -> Element {
    let len = set_of(place).map_or(identity.len(), |set| set.key_len(family));
    let key = identity.get(..len).unwrap_or(identity);
    Element::of_key(key.to_vec())
}

/// What an element matches that is recorded so; none of a rule.
pub(super) fn matched(installed: &Installed) -> Option<Matches> {
    let Key(identity) = match &installed.item {
        Identity::Element(key) => key,
        Identity::Rule(_) => return None,
    };
    let Element { key, .. } = element_of(installed.family, &installed.place, identity);
    layout::key_matches(installed.family, &installed.place, &key)
}

/// What is installed, for people: an element by its key, a rule by its comment.
pub(super) fn in_words(installed: &Installed) -> String {
    match &installed.item {
        Identity::Element(Key(key)) => {
            let Element { key, .. } = element_of(installed.family, &installed.place, key);
            layout::key_text(installed.family, &installed.place, &key).to_string()
        }
        Identity::Rule(rule) => format!("the rule with comment {:?}", rule.comment),
    }
}
