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
        Place::Top(_) | Place::Element(..) | Place::Attribute(..) => 2,
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use palisade_core::Hint;

    use super::super::tree;
    use super::*;
    use crate::encoding::Encoding;
    use crate::fault::Fault;
    use crate::vocabulary::TableKind;

    /// Each element of the vocabulary with the tags around it.
    fn elements() -> Vec<(&'static Element, Vec<&'static str>)> {
        let mut all = vec![(&NETWORK, vec![NETWORK.name])];
        let mut at = 0;
        while let Some((element, path)) = all.get(at).cloned() {
            for inner in element.elements {
                let mut path = path.clone();
                path.push(inner.name);
                all.push((inner, path));
            }
            at += 1;
        }
        all
    }

    /// Every word of every format.
    fn words() -> BTreeSet<&'static str> {
        let mut words: BTreeSet<_> = TableKind::Network.fields().iter().copied().collect();
        for (element, _) in elements() {
            words.insert(element.name);
            words.extend(element.read);
            words.extend(element.ignored);
        }
        words
    }

    /// What is wrong, and the text at its place.
    type Misplaced = Box<(Fault, String)>;

    fn checked(path: &[&str], attribute: &str, content: &str) -> Result<(), Misplaced> {
        let open: String = path.iter().map(|name| format!("<{name}>")).collect();
        let open = match attribute {
            "" => open,
            name => format!("{} {name}='1'>", open.trim_end_matches('>')),
        };
        let close: String = path.iter().rev().map(|name| format!("</{name}>")).collect();
        let text = format!("{open}{content}{close}");
        let tree = tree::parse(&text, Encoding::Utf8).expect("a tree");
        check(&tree).map_err(|fault| {
            let spanned = *fault.0;
            let at = text[spanned.span.start..spanned.span.end].to_owned();
            Box::new((spanned.value, at))
        })
    }

    fn assert_misplaced(result: Result<(), Misplaced>, word: &str, at: &str) {
        let (fault, found_at) = *result.expect_err(word);
        let Fault::Element(fault) = fault else {
            panic!("{word} at {at}: {fault:?}");
        };
        assert!(
            matches!(&fault, ElementFault::Misplaced { found, .. } if found == word),
            "{word} at {at}: {fault:?}"
        );
        assert!(found_at.contains(word), "{word} at {at}: {found_at}");
        let hint = fault.hint();
        assert!(hint.contains("`<"), "{word} at {at}: {hint}");
    }

    #[test]
    fn every_word_is_accepted_at_its_places_alone() {
        let words = words();
        for (element, path) in elements() {
            let at = path.join("/");
            for &word in &words {
                let as_attribute = checked(&path, word, "");
                if element.has_attribute(word) {
                    assert!(as_attribute.is_ok(), "{word} at {at}: {as_attribute:?}");
                } else {
                    assert_misplaced(as_attribute, word, &at);
                }
                let as_element = checked(&path, "", &format!("<{word}/>"));
                if element.element(word).is_some() || element.content != Content::Elements {
                    assert!(as_element.is_ok(), "{word} in {at}: {as_element:?}");
                } else {
                    assert_misplaced(as_element, word, &at);
                }
            }
            for unknown in ["quux", "of-libvirt-23"] {
                assert!(checked(&path, unknown, "").is_ok());
                assert!(checked(&path, "", &format!("<{unknown}/>")).is_ok());
            }
        }
    }

    #[test]
    fn a_hint_names_the_likeliest_place_first() {
        let hint = |path: &[&str], attribute: &str, content: &str| {
            let (fault, _) = *checked(path, attribute, content).unwrap_err();
            fault.hint().into_owned()
        };
        for (told, expected) in [
            (
                hint(&["network"], "", "<nat/>"),
                "it belongs to `<nat>` in `<forward>`",
            ),
            (
                hint(&["network", "bridge"], "", "<forward/>"),
                "it belongs to `<forward>` in `<network>`",
            ),
            (
                hint(&["network"], "", "<zone/>"),
                "it belongs to `<bridge zone=''>` in `<network>`",
            ),
            (
                hint(&["network", "bridge"], "", "<name/>"),
                "it belongs to `<bridge name=''>` in `<network>`",
            ),
            (
                hint(&["network"], "name", ""),
                "it belongs to `<name>` in `<network>`",
            ),
            (
                hint(&["network", "forward", "address"], "start", ""),
                "it belongs to `<address start=''>` in `<nat>`",
            ),
            (
                hint(&["network", "port"], "end", ""),
                "it belongs to `<port end=''>` in `<nat>`",
            ),
            (
                hint(&["network", "forward"], "device", ""),
                "`device` is a field of TOML and JSON; XML writes `<forward dev=''>`",
            ),
        ] {
            assert!(told.starts_with(expected), "{told}");
        }
    }
}
