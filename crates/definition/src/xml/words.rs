//! Finds misspelled and misplaced elements and attributes, by the table of libvirt's vocabulary.
//!
//! Words that are in no table are ignored, since libvirt gains new ones.

use super::access::is_plain;
use super::fault::{ElementFault, WordKind};
use super::tree::{XmlElement, is_blank};
use crate::nearest::nearest;
use crate::span::Span;
use crate::spanned_fault::{AtSpan, SpannedFault};
use crate::vocabulary::{
    Content, Element, NAMESPACE, NETWORK, OWN_PREFIX, Place, field_in_xml, places,
};

/// Checks all words of a definition.
pub(super) fn check(network: &XmlElement<'_>) -> Result<(), SpannedFault> {
    check_element(network, &NETWORK)
}

fn check_element(element: &XmlElement<'_>, known: &'static Element) -> Result<(), SpannedFault> {
    for attribute in element.attributes.iter().filter(|a| is_plain(a.name)) {
        if !known.has_attribute(attribute.name) {
            check_unknown(WordKind::Attribute, attribute.name, known)
                .map_err(|fault| fault.at(attribute.name_span))?;
        }
    }
    if known.content != Content::Elements {
        return Ok(());
    }
    if known.is_read {
        check_text(element)?;
    }
    for inner in &element.elements {
        if is_own(inner) {
            let found = inner.name.to_owned();
            return Err(ElementFault::OwnOutside { found }.at(inner.tag));
        }
    }
    for inner in element.own() {
        match known.element(inner.name) {
            Some(known) => check_element(inner, known)?,
            None => check_unknown(WordKind::Element, inner.name, known)
                .map_err(|fault| fault.at(inner.tag))?,
        }
    }
    Ok(())
}

/// Whether an element is one of palisade's, which only `<metadata>` may hold.
fn is_own(element: &XmlElement<'_>) -> bool {
    let namespace = element.attribute("xmlns");
    namespace.is_some_and(|attribute| attribute.value.value == NAMESPACE)
        || element
            .name
            .strip_prefix(OWN_PREFIX)
            .is_some_and(|rest| rest.starts_with(':'))
}

/// Refuses a word that the element does not have, if it is known elsewhere or misspelled.
fn check_unknown(kind: WordKind, word: &str, known: &'static Element) -> Result<(), ElementFault> {
    let found = word.to_owned();
    let places = places(word);
    let field = field_in_xml(word);
    if !places.is_empty() || field.is_some() {
        return Err(ElementFault::Misplaced {
            kind,
            found,
            parent: known.name,
            places: by_nearness(places, known),
            field,
        });
    }
    let (attributes, elements) = (
        known.read.to_vec(),
        known
            .elements
            .iter()
            .filter(|element| element.is_read)
            .map(|element| element.name)
            .collect(),
    );
    let meant = |words: Vec<&'static str>| nearest(word, &words);
    match kind {
        WordKind::Attribute => match meant(attributes) {
            Some(meant) => Err(ElementFault::MisspelledAttribute { found, meant }),
            None => Ok(()),
        },
        WordKind::Element => match meant(elements) {
            Some(meant) => Err(ElementFault::MisspelledElement { found, meant }),
            None => Ok(()),
        },
    }
}

/// Places within the element itself come first, then those in elements of the same name.
fn by_nearness(mut places: Vec<Place>, at: &'static Element) -> Vec<Place> {
    places.sort_by_key(|place| match place {
        Place::Element(_, parent) if *parent == at.name => 0,
        Place::Attribute(_, element, _) if *element == at.name => 1,
        Place::Element(..) | Place::Attribute(..) => 2,
        Place::Own(_) | Place::OwnAttribute(..) => 3,
    });
    places
}

fn check_text(element: &XmlElement<'_>) -> Result<(), SpannedFault> {
    match element.texts.iter().find(|text| !is_blank(&text.value)) {
        None => Ok(()),
        Some(text) => {
            let blank = text.value.len() - text.value.trim_start().len();
            let start = text.span.start + blank;
            let end = (start + text.value.trim().len()).min(text.span.end);
            let element = element.name.to_owned();
            Err(ElementFault::Text { element }.at(Span::new(start.min(end), end)))
        }
    }
}
