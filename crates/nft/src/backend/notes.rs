//! What people are told of a plan.

use palisade_core::backend::{Discrepancy, DiscrepancyKind};

use super::area::Area;
use super::observed::Foreign;
use super::verify;
use crate::object;

/// A table, or a part of a layout, that stays because of something foreign.
pub(super) fn stays(area: &Area<'_>, what: &str, name: &str, foreign: &[Foreign]) -> String {
    let family = object::Family::from(area.family);
    let what = match what {
        "table" => format!("table {family} `{name}`"),
        other => format!(
            "part of {other} `{name}` in table {family} `{}`",
            area.table
        ),
    };
    let held: Vec<&str> = foreign.iter().take(3).map(|f| f.text.as_str()).collect();
    let more = match foreign.len().saturating_sub(held.len()) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!(
        "{what} stays, since it holds what palisade did not put there: {}{more}",
        held.join("; ")
    )
}

/// Something foreign that is removed.
pub(super) fn removal(found: &Discrepancy) -> Option<String> {
    let is_foreign = matches!(
        found.kind,
        DiscrepancyKind::Foreign | DiscrepancyKind::Unreadable
    );
    let text = || {
        let what = match found.detail.as_str() {
            verify::LEFT_OVER => "no network needs any more",
            _ => "palisade did not put there",
        };
        format!("removed what {what}: {}: {}", found.object, found.detail)
    };
    is_foreign.then(text)
}
