//! The known content of elements, and access to it.

use palisade_core::network::InterfaceName;

use super::attribute::XmlAttribute;
use super::fault::ElementFault;
use super::tree::{XmlElement, is_blank};
use crate::nearest::nearest;
use crate::span::{Span, Spanned};
use crate::spanned_fault::{AtSpan, SpannedFault};
use crate::value_fault::ValueFault;

/// The attributes and elements that an element may have.
pub(super) struct Vocabulary {
    pub(super) attributes: &'static [&'static str],
    pub(super) elements: &'static [&'static str],
    /// Known attributes and elements that do not concern the firewall.
    pub(super) ignored: &'static [&'static str],
}

impl Vocabulary {
    /// The word that an unknown one probably misspells.
    fn meant(&self, word: &str, words: &'static [&'static str]) -> Option<&'static str> {
        if words.contains(&word) || self.ignored.contains(&word) {
            return None;
        }
        nearest(word, words)
    }
}

impl<'a> XmlElement<'a> {
    /// Refuses text between elements, and misspelled attributes and elements.
    pub(super) fn check(&self, vocabulary: &Vocabulary) -> Result<(), SpannedFault> {
        for attribute in self.attributes.iter().filter(|a| is_plain(a.name)) {
            if let Some(meant) = vocabulary.meant(attribute.name, vocabulary.attributes) {
                let found = attribute.name.to_owned();
                let fault = ElementFault::MisspelledAttribute { found, meant };
                return Err(fault.at(attribute.name_span));
            }
        }
        for element in self.own() {
            if let Some(meant) = vocabulary.meant(element.name, vocabulary.elements) {
                let found = element.name.to_owned();
                return Err(ElementFault::MisspelledElement { found, meant }.at(element.tag));
            }
        }
        match self.texts.iter().find(|text| !is_blank(&text.value)) {
            None => Ok(()),
            Some(text) => {
                let blank = text.value.len() - text.value.trim_start().len();
                let start = text.span.start + blank;
                let end = (start + text.value.trim().len()).min(text.span.end);
                let element = self.name.to_owned();
                Err(ElementFault::Text { element }.at(Span::new(start.min(end), end)))
            }
        }
    }

    /// The attribute of that name.
    pub(super) fn attribute(&self, name: &str) -> Option<&XmlAttribute<'a>> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
    }

    /// The attribute of that name, which must be there.
    pub(super) fn required(
        &self,
        attribute: &'static str,
    ) -> Result<&XmlAttribute<'a>, SpannedFault> {
        self.attribute(attribute).ok_or_else(|| {
            let element = self.name.to_owned();
            ElementFault::NoAttribute { element, attribute }.at(self.tag)
        })
    }

    /// Whether an attribute is `yes`.
    pub(super) fn is_yes(&self, name: &'static str) -> Result<bool, SpannedFault> {
        let Some(attribute) = self.attribute(name) else {
            return Ok(false);
        };
        match attribute.value.value.as_ref() {
            "yes" => Ok(true),
            "no" => Ok(false),
            other => {
                let value = other.to_owned();
                let attribute_name = name;
                let fault = ElementFault::YesNo {
                    attribute: attribute_name,
                    value,
                };
                Err(fault.at(attribute.value.span))
            }
        }
    }

    /// The elements of that name.
    pub(super) fn all(&self, name: &'static str) -> impl Iterator<Item = &Self> {
        self.own().filter(move |element| element.name == name)
    }

    /// The element of that name, of which there may be at most one.
    pub(super) fn one(&self, name: &'static str) -> Result<Option<&Self>, SpannedFault> {
        let mut all = self.all(name);
        let first = all.next();
        match all.next() {
            None => Ok(first),
            Some(second) => {
                let parent = self.name.to_owned();
                let fault = ElementFault::Repeated {
                    parent,
                    element: name,
                };
                Err(fault.at(second.tag))
            }
        }
    }

    /// The elements without a foreign namespace.
    fn own(&self) -> impl Iterator<Item = &Self> {
        self.elements.iter().filter(|element| {
            let foreign = element
                .attribute("xmlns")
                .is_some_and(|attribute| !attribute.value.value.is_empty());
            is_plain(element.name) && !foreign
        })
    }
}

/// Whether a name has no namespace prefix.
fn is_plain(name: &str) -> bool {
    !name.contains(':') && name != "xmlns"
}

impl XmlAttribute<'_> {
    /// The value as the name of an interface.
    pub(super) fn interface(&self) -> Result<Spanned<InterfaceName>, SpannedFault> {
        let Spanned { value, span } = &self.value;
        let name = value
            .parse()
            .map_err(|e| ValueFault::Interface(e).at(*span))?;
        Ok(Spanned::new(name, *span))
    }
}
