//! A table, and how its fields are asked for.

use super::fault::FieldFault;
use super::value::{Entry, Kind, Value};
use crate::nearest::nearest;
use crate::place::{At, Placed, Problem, Span};

/// A value that is a table.
pub(super) struct Table<'a> {
    /// Where it stands.
    pub(super) span: Span,
    entries: &'a [Entry<'a>],
}

impl<'a> Table<'a> {
    /// The value as a table; `what` it describes is told where it is none.
    pub(super) fn new(what: &'static str, value: &'a Value<'a>) -> Result<Self, Problem> {
        match &value.kind {
            Kind::Table(entries) => Ok(Self {
                span: value.span,
                entries,
            }),
            _ => Err(value.unlike(what, "a table")),
        }
    }

    /// Refuses fields that are not `known`, and those that are given twice. Those of `elsewhere`
    /// exist, but not here.
    pub(super) fn check_fields(
        &self,
        known: &'static [&'static str],
        elsewhere: &'static [&'static str],
    ) -> Result<(), Problem> {
        for (i, entry) in self.entries.iter().enumerate() {
            let field = entry.key.as_ref();
            let fault = if !known.contains(&field) {
                let field = field.to_owned();
                if elsewhere.contains(&entry.key.as_ref()) {
                    FieldFault::Elsewhere { field }
                } else {
                    let meant = other_name(&field)
                        .filter(|name| known.contains(name))
                        .or_else(|| nearest(&field, known));
                    FieldFault::Unknown {
                        field,
                        meant,
                        known,
                    }
                }
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

    /// The value of a field. One that is null counts as left out.
    pub(super) fn field(&self, name: &str) -> Option<&'a Value<'a>> {
        let entry = self.entries.iter().find(|entry| entry.key == name)?;
        let is_null = matches!(entry.value.kind, Kind::Other("null"));
        (!is_null).then_some(&entry.value)
    }

    /// The text of a field.
    pub(super) fn text(&self, field: &'static str) -> Result<Option<At<&'a str>>, Problem> {
        self.field(field)
            .map(|value| value.text(field, "a string"))
            .transpose()
    }

    /// The values of a field.
    pub(super) fn list(&self, field: &'static str) -> Result<Option<&'a [Value<'a>]>, Problem> {
        match self.field(field) {
            None => Ok(None),
            Some(Value {
                kind: Kind::List(list),
                ..
            }) => Ok(Some(list)),
            Some(other) => Err(other.unlike(field, "a list")),
        }
    }

    /// Where a field says `true`, if it does.
    pub(super) fn is_true(&self, field: &'static str) -> Result<Option<Span>, Problem> {
        match self.field(field) {
            None => Ok(None),
            Some(value) => match value.kind {
                Kind::Boolean(yes) => Ok(yes.then_some(value.span)),
                _ => Err(value.unlike(field, "true or false")),
            },
        }
    }
}

/// What libvirt and others call a field.
fn other_name(field: &str) -> Option<&'static str> {
    Some(match field {
        "dev" | "interface" => "device",
        "forward" | "forward_mode" | "type" => "mode",
        "ip" | "ips" | "address" | "cidr" => "subnets",
        "nat6" | "ipv6_nat" => "nat_ipv6",
        _ => return None,
    })
}
