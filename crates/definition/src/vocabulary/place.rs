//! Where a word is known.

use std::fmt;

use super::libvirt::{Element, NETWORK};
use super::own::{OWN, OWN_PREFIX};

/// A place of libvirt's network XML that a word is known at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The element around all others.
    Top(&'static str),
    /// An element, in the element of the second name.
    Element(&'static str, &'static str),
    /// An attribute of the element of the second name, which is in that of the third.
    Attribute(&'static str, &'static str, Option<&'static str>),
    /// One of palisade's elements.
    Own(&'static str),
    /// An attribute of one of palisade's elements.
    OwnAttribute(&'static str, &'static str),
}

/// The places that know a word, those that concern the firewall first.
pub(crate) fn places(word: &str) -> Vec<Place> {
    let mut found = Vec::new();
    if word == NETWORK.name {
        found.push((true, Place::Top(NETWORK.name)));
    }
    search(word, &NETWORK, None, &mut found);
    for own in OWN {
        // palisade's `<network>` is only around its other elements.
        if own.name == word && NETWORK.name != word {
            found.push((false, Place::Own(own.name)));
        }
        if let Some(attribute) = own.attributes.iter().find(|name| **name == word) {
            found.push((false, Place::OwnAttribute(attribute, own.name)));
        }
    }
    found.sort_by_key(|&(is_read, _)| !is_read);
    let mut places: Vec<Place> = found.into_iter().map(|(_, place)| place).collect();
    places.dedup();
    places
}

fn search(
    word: &str,
    element: &'static Element,
    parent: Option<&'static str>,
    found: &mut Vec<(bool, Place)>,
) {
    let attributes = [(element.read, true), (element.ignored, false)];
    for (attributes, is_read) in attributes {
        let known = attributes.iter().filter(|attribute| **attribute == word);
        found.extend(known.map(|attribute| {
            let is_read = is_read && element.is_read;
            (is_read, Place::Attribute(attribute, element.name, parent))
        }));
    }
    for inner in element.elements {
        if inner.name == word {
            found.push((inner.is_read, Place::Element(inner.name, element.name)));
        }
        search(word, inner, Some(element.name), found);
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top(name) => write!(f, "the top, `<{name}>`"),
            Self::Element(name, parent) => write!(f, "`<{name}>` in `<{parent}>`"),
            Self::Attribute(name, element, None) => write!(f, "`<{element} {name}=''>`"),
            Self::Attribute(name, element, Some(parent)) => {
                write!(f, "`<{element} {name}=''>` in `<{parent}>`")
            }
            Self::Own(name) => write!(f, "`<{OWN_PREFIX}:{name}>` in `<metadata>`"),
            Self::OwnAttribute(name, element) => {
                write!(f, "`<{OWN_PREFIX}:{element} {name}=''>` in `<metadata>`")
            }
        }
    }
}
