//! Generations: a number that goes up with every commit, whoever made it.

use palisade_netlink::Malformed;

#[cfg(test)]
use super::attribute;
use super::attribute::Attributes;

/// `NFTA_GEN_ID`.
const ID: u16 = 1;
/// `NFTA_GEN_PROC_PID`.
const PROCESS: u16 = 2;
/// `NFTA_GEN_PROC_NAME`.
const NAME: u16 = 3;

/// A generation of the ruleset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Generation {
    /// Its number.
    pub id: u32,
    /// The process that made it; in a reply, the one that asks.
    pub process: Option<u32>,
    /// That process's name.
    pub name: Option<String>,
}

/// Writes the body of a `NEW_GENERATION`, as the kernel does.
#[cfg(test)]
pub(crate) fn encode(generation: &Generation, buffer: &mut Vec<u8>) {
    attribute::u32(buffer, ID, generation.id);
    if let Some(process) = generation.process {
        attribute::u32(buffer, PROCESS, process);
    }
    if let Some(name) = &generation.name {
        attribute::text(buffer, NAME, name);
    }
}

/// Reads the body of a `NEW_GENERATION`.
///
/// # Errors
///
/// If its bytes are broken, or it has no number.
pub(crate) fn decode(body: &[u8]) -> Result<Generation, Malformed> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_it_or_the_number_alone() {
        let mut body = Vec::new();
        attribute::u32(&mut body, ID, 12);
        let mut expected = Generation {
            id: 12,
            process: None,
            name: None,
        };
        assert_eq!(decode(&body), Ok(expected.clone()));
        attribute::u32(&mut body, PROCESS, 4711);
        attribute::text(&mut body, NAME, "nft");
        attribute::u32(&mut body, 9, 9);
        expected.process = Some(4711);
        expected.name = Some("nft".to_owned());
        assert_eq!(decode(&body), Ok(expected.clone()));
        let mut encoded = Vec::new();
        encode(&expected, &mut encoded);
        assert_eq!(decode(&encoded), Ok(expected));
        let missing = Malformed::Missing {
            object: "generation",
            attribute: ID,
        };
        assert_eq!(decode(&body[8..]), Err(missing));
    }
}
