//! Whether a batch has landed, seen from the kernel: by its marker, or, where all its tables went,
//! by their absence.

use crate::dump::{Depth, DumpError, Reader};
use crate::layout;
use crate::object::Family;
use crate::wire::{self, Kind};

pub(super) fn has_landed(reader: &mut Reader<'_>, batch: &[u8]) -> Result<bool, DumpError> {
    let mut gone: Vec<(Family, String)> = Vec::new();
    for message in wire::messages(batch) {
        let message = message?;
        match message.kind {
            Some(Kind::NEW_ELEMENT) => {
                let marker = wire::element::decode(message.family, message.body)?;
                if marker.set == layout::TRANSACTION {
                    let there = reader.elements(message.family, &marker.table, &marker.set)?;
                    let is_there = |key| there.iter().any(|element| element.key == key);
                    return Ok(marker
                        .elements
                        .iter()
                        .all(|marker| is_there(&marker.key[..])));
                }
            }
            Some(Kind::DEL_TABLE) => {
                let table = wire::table::decode(message.family, message.body)?;
                gone.push((message.family, table.name));
            }
            _ => {}
        }
    }
    for (family, table) in gone {
        if reader.program(family, &table, Depth::Outline)?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}
