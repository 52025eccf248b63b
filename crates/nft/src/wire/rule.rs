//! Rules (`enum nft_rule_attributes`).

use palisade_netlink::Malformed;

use super::attribute::{self, Attributes};
use super::expression;
use crate::object::{Family, Rule, Userdata};

/// `NFTA_RULE_TABLE`.
const TABLE: u16 = 1;
/// `NFTA_RULE_CHAIN`.
const CHAIN: u16 = 2;
/// `NFTA_RULE_HANDLE`.
const HANDLE: u16 = 3;
/// `NFTA_RULE_EXPRESSIONS`.
const EXPRESSIONS: u16 = 4;
/// `NFTA_RULE_POSITION`.
const POSITION: u16 = 6;
/// `NFTA_RULE_USERDATA`.
const USERDATA: u16 = 7;
/// `NFTA_RULE_PAD`.
const PAD: u16 = 8;

/// Writes the body of a `NEW_RULE`. With a handle, it is for the rule that has it already.
pub(crate) fn encode(rule: &Rule, buffer: &mut Vec<u8>) {
    encode_key(&rule.table, Some(&rule.chain), buffer);
    if let Some(handle) = rule.handle {
        attribute::u64(buffer, HANDLE, handle);
    }
    if let Some(position) = rule.position {
        attribute::u64(buffer, POSITION, position);
    }
    expression::encode_list(buffer, EXPRESSIONS, &rule.expressions);
    attribute::userdata(buffer, USERDATA, &rule.userdata);
    attribute::extra(buffer, &rule.extra);
}

/// Writes the body of a `DEL_RULE` for the rule with this handle, or of a `GET_RULE`.
pub(crate) fn encode_handle(table: &str, chain: &str, handle: u64, buffer: &mut Vec<u8>) {
    encode_key(table, Some(chain), buffer);
    attribute::u64(buffer, HANDLE, handle);
}

/// Writes the body of a `GET_RULE` or a `DEL_RULE` for all rules of a chain, or of a table.
pub(crate) fn encode_key(table: &str, chain: Option<&str>, buffer: &mut Vec<u8>) {
    attribute::text(buffer, TABLE, table);
    if let Some(chain) = chain {
        attribute::text(buffer, CHAIN, chain);
    }
}

/// Reads a body that describes a rule.
///
/// # Errors
///
/// If its bytes are broken, or it has no table or no chain.
pub fn decode(family: Family, body: &[u8]) -> Result<Rule, Malformed> {
    let (mut table, mut chain) = (None, None);
    let mut rule = Rule {
        family,
        table: String::new(),
        chain: String::new(),
        expressions: Vec::new(),
        userdata: Userdata::default(),
        handle: None,
        position: None,
        extra: Vec::new(),
    };
    for attribute in Attributes::of("rule", body) {
        let attribute = attribute?;
        match attribute.number() {
            TABLE => table = Some(attribute.text()),
            CHAIN => chain = Some(attribute.text()),
            HANDLE => rule.handle = Some(attribute.u64()?),
            EXPRESSIONS => rule.expressions = expression::decode_list(attribute)?,
            POSITION => rule.position = Some(attribute.u64()?),
            USERDATA => rule.userdata = Userdata(attribute.bytes.to_vec()),
            PAD => {}
            _ => rule.extra.push(attribute.kept()),
        }
    }
    let missing = |attribute| Malformed::Missing {
        object: "rule",
        attribute,
    };
    rule.table = table.ok_or(missing(TABLE))?;
    rule.chain = chain.ok_or(missing(CHAIN))?;
    Ok(rule)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::strategies;
    use super::*;

    proptest! {
        #[test]
        fn comes_back(rule in strategies::rule()) {
            let mut buffer = Vec::new();
            encode(&rule, &mut buffer);
            prop_assert_eq!(decode(rule.family, &buffer), Ok(rule));
        }
    }

    #[test]
    fn a_list_holds_items_alone() {
        let mut buffer = Vec::new();
        encode_key("t", Some("c"), &mut buffer);
        attribute::nest(&mut buffer, EXPRESSIONS, |buffer| {
            attribute::u32(buffer, 2, 0);
        });
        let kind = Malformed::Kind {
            object: "list of expressions",
            attribute: 2,
        };
        assert_eq!(decode(Family::Ip, &buffer), Err(kind));
    }

    #[test]
    fn a_rule_is_named_by_table_chain_and_handle() {
        let mut buffer = Vec::new();
        encode_handle("t", "c", 7, &mut buffer);
        attribute::bytes(&mut buffer, PAD, &[]);
        let rule = decode(Family::Ip, &buffer).unwrap();
        assert_eq!((rule.table.as_str(), rule.chain.as_str()), ("t", "c"));
        assert_eq!((rule.handle, rule.extra), (Some(7), Vec::new()));
    }
}
