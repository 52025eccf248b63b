//! Generations: a number that goes up with every commit, whoever made it.

use super::Malformed;
use super::attribute::Attributes;

/// `NFTA_GEN_ID`.
const ID: u16 = 1;
/// `NFTA_GEN_PROC_PID`.
const PROCESS: u16 = 2;
/// `NFTA_GEN_PROC_NAME`.
const NAME: u16 = 3;

/// A generation of the ruleset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Its number.
    pub id: u32,
    /// The process that made it; in a reply, the one that asks.
    pub process: Option<u32>,
    /// That process's name.
    pub name: Option<String>,
}

/// Reads the body of a `NEW_GENERATION`.
///
/// # Errors
///
/// If its bytes are broken, or it has no number.
pub fn decode(body: &[u8]) -> Result<Generation, Malformed> {
    let (mut id, mut process, mut name) = (None, None, None);
    for attribute in Attributes::of("generation", body) {
        let attribute = attribute?;
        match attribute.number() {
            ID => id = Some(attribute.u32()?),
            PROCESS => process = Some(attribute.u32()?),
            NAME => name = Some(attribute.text()),
            _ => {}
        }
    }
    let id = id.ok_or(Malformed::Missing {
        object: "generation",
        attribute: ID,
    })?;
    Ok(Generation { id, process, name })
}
