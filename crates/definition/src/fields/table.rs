//! Access to the fields of a table.

use super::fault::FieldFault;
use super::value::{Content, Field, FieldValue};
use crate::nearest::nearest;
use crate::span::{Span, Spanned};
use crate::spanned_fault::{AtSpan, SpannedFault};
use crate::vocabulary::{Place, TableKind, places};

/// A value that is a table.
pub(super) struct FieldTable<'a> {
    /// The span of the whole table.
    pub(super) span: Span,
    entries: &'a [Field<'a>],
}

impl<'a> FieldTable<'a> {
    /// The value as a table. The error for any other value names `what` it describes.
    pub(super) fn new(what: &'static str, value: &'a FieldValue<'a>) -> Result<Self, SpannedFault> {
        match &value.content {
            Content::Table(entries) => Ok(Self {
                span: value.span,
                entries,
            }),
            _ => Err(value.wrong_type(what, "a table")),
        }
    }

    /// Refuses unknown and duplicate fields, and those of other tables.
    pub(super) fn check_fields(&self, kind: TableKind) -> Result<(), SpannedFault> {
        let known = kind.fields();
        for (i, entry) in self.entries.iter().enumerate() {
            let field = entry.key.as_ref();
            let fault = if !known.contains(&field) {
                unknown(field, kind)
            } else if self.entries[..i].iter().any(|earlier| earlier.key == field) {
                let field = field.to_owned();
                FieldFault::Twice { field }
            } else {
                continue;
            };
            return Err(fault.at(entry.key_span));
        }
        Ok(())
    }

    /// The value of a field; null means that the field is left out.
    pub(super) fn field(&self, name: &str) -> Option<&'a FieldValue<'a>> {
        let entry = self.entries.iter().find(|entry| entry.key == name)?;
        let is_null = matches!(entry.value.content, Content::Other("null"));
        (!is_null).then_some(&entry.value)
    }

    /// The text of a field.
    pub(super) fn text(
        &self,
        field: &'static str,
    ) -> Result<Option<Spanned<&'a str>>, SpannedFault> {
        self.field(field)
            .map(|value| value.text(field, "a string"))
            .transpose()
    }

    /// The values of a field.
    pub(super) fn list(
        &self,
        field: &'static str,
    ) -> Result<Option<&'a [FieldValue<'a>]>, SpannedFault> {
        match self.field(field) {
            None => Ok(None),
            Some(FieldValue {
                content: Content::List(list),
                ..
            }) => Ok(Some(list)),
            Some(other) => Err(other.wrong_type(field, "a list")),
        }
    }

    /// The span of a field that is `true`.
    pub(super) fn is_true(&self, field: &'static str) -> Result<Option<Span>, SpannedFault> {
        let value = self.boolean(field)?;
        Ok(value.and_then(|Spanned { value, span }| value.then_some(span)))
    }

    /// The span of a field that is `false`.
    pub(super) fn is_false(&self, field: &'static str) -> Result<Option<Span>, SpannedFault> {
        let value = self.boolean(field)?;
        Ok(value.and_then(|Spanned { value, span }| (!value).then_some(span)))
    }

    fn boolean(&self, field: &'static str) -> Result<Option<Spanned<bool>>, SpannedFault> {
        match self.field(field) {
            None => Ok(None),
            Some(value) => match value.content {
                Content::Boolean(yes) => Ok(Some(Spanned::new(yes, value.span))),
                _ => Err(value.wrong_type(field, "true or false")),
            },
        }
    }
}

/// What is wrong with a field that a table does not have.
fn unknown(field: &str, kind: TableKind) -> FieldFault {
    let known = kind.fields();
    let meant = synonym(field).filter(|name| known.contains(name));
    let others = TableKind::ALL.into_iter().filter(|&other| other != kind);
    let field = field.to_owned();
    if let Some(belongs) = others
        .into_iter()
        .find(|other| other.fields().contains(&&*field))
        && meant.is_none()
    {
        return FieldFault::Elsewhere { field, belongs };
    }
    let meant = meant.or_else(|| nearest(&field, known));
    if meant.is_none()
        && places(&field)
            .iter()
            .any(|place| !matches!(place, Place::OwnAttribute(..)))
    {
        return FieldFault::OfLibvirt { field, known };
    }
    FieldFault::Unknown {
        field,
        meant,
        known,
    }
}

/// The field that libvirt and other programs call by this name.
fn synonym(field: &str) -> Option<&'static str> {
    Some(match field {
        "dev" | "interface" => "device",
        "forward" | "forward_mode" | "type" => "mode",
        "ip" | "ips" | "address" | "cidr" | "prefix" | "netmask" => "subnets",
        "port_forwards" | "portforwards" | "publish" => "forwards",
        "isolated" => "isolated_ports",
        "mss" => "mss_clamp",
        "nat6" | "ipv6_nat" => "nat_ipv6",
        _ => return None,
    })
}
