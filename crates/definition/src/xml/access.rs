//! Access to the content of elements.

use palisade_core::network::{InterfaceName, SizeError};

use super::attribute::XmlAttribute;
use super::fault::ElementFault;
use super::tree::XmlElement;
use crate::span::Spanned;
use crate::spanned_fault::{AtSpan, SpannedFault};
use crate::value_fault::ValueFault;

impl<'a> XmlElement<'a> {
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
        self.yes_or_no(name).map(|yes| yes.unwrap_or(false))
    }

    /// Whether an attribute is `yes`, if it is there.
    pub(super) fn yes_or_no(&self, name: &'static str) -> Result<Option<bool>, SpannedFault> {
        let Some(attribute) = self.attribute(name) else {
            return Ok(None);
        };
        match attribute.value.value.as_ref() {
            "yes" => Ok(Some(true)),
            "no" => Ok(Some(false)),
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
    pub(super) fn own(&self) -> impl Iterator<Item = &Self> {
        self.elements.iter().filter(|element| {
            let foreign = element
                .attribute("xmlns")
                .is_some_and(|attribute| !attribute.value.value.is_empty());
            is_plain(element.name) && !foreign
        })
    }
}

/// Whether a name has no namespace prefix.
pub(super) fn is_plain(name: &str) -> bool {
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

    /// The value as a number of bytes.
    pub(super) fn bytes<T>(
        &self,
        size: impl FnOnce(u16) -> Result<T, SizeError>,
    ) -> Result<T, SpannedFault> {
        let Spanned { value, span } = &self.value;
        let digits = value.bytes().all(|b| b.is_ascii_digit());
        let number = value.parse().ok().filter(|_| digits);
        let number = number.ok_or_else(|| ValueFault::Bytes(value.to_string()).at(*span))?;
        size(number).map_err(|error| ValueFault::Size(error).at(*span))
    }
}
