//! Chains (`enum nft_chain_attributes`, `enum nft_hook_attributes`).

use palisade_netlink::Malformed;

use super::attribute::{self, Attributes, Raw};
use crate::object::{BaseChain, Chain, Family, Hook, Policy, Userdata};

/// `NFTA_CHAIN_TABLE`.
const TABLE: u16 = 1;
/// `NFTA_CHAIN_HANDLE`.
const HANDLE: u16 = 2;
/// `NFTA_CHAIN_NAME`.
const NAME: u16 = 3;
/// `NFTA_CHAIN_HOOK`.
const HOOK: u16 = 4;
/// `NFTA_CHAIN_POLICY`.
const POLICY: u16 = 5;
/// `NFTA_CHAIN_USE`.
const USE: u16 = 6;
/// `NFTA_CHAIN_TYPE`.
const TYPE: u16 = 7;
/// `NFTA_CHAIN_COUNTERS`.
const COUNTERS: u16 = 8;
/// `NFTA_CHAIN_PAD`.
const PAD: u16 = 9;
/// `NFTA_CHAIN_FLAGS`.
const FLAGS: u16 = 10;
/// `NFTA_CHAIN_USERDATA`.
const USERDATA: u16 = 12;

/// `NFTA_HOOK_HOOKNUM`.
const HOOK_NUMBER: u16 = 1;
/// `NFTA_HOOK_PRIORITY`.
const HOOK_PRIORITY: u16 = 2;

/// `NFT_CHAIN_BASE`: what the kernel says of each base chain.
const FLAG_BASE: u32 = 1;

/// Writes the body of a `NEW_CHAIN`.
pub(crate) fn encode(chain: &Chain, buffer: &mut Vec<u8>) {
    encode_key(&chain.table, &chain.name, buffer);
    if let Some(handle) = chain.handle {
        attribute::u64(buffer, HANDLE, handle);
    }
    if let Some(base) = &chain.base {
        attribute::nest(buffer, HOOK, |buffer| {
            attribute::u32(buffer, HOOK_NUMBER, base.hook.0);
            attribute::u32(buffer, HOOK_PRIORITY, base.priority.cast_unsigned());
            attribute::extra(buffer, &base.hook_extra);
        });
        attribute::u32(buffer, POLICY, base.policy.0);
        attribute::text(buffer, TYPE, &base.kind);
    }
    if chain.flags != 0 {
        attribute::u32(buffer, FLAGS, chain.flags);
    }
    attribute::userdata(buffer, USERDATA, &chain.userdata);
    attribute::extra(buffer, &chain.extra);
}

/// Writes the body of a `GET_CHAIN` or a `DEL_CHAIN`.
pub(crate) fn encode_key(table: &str, name: &str, buffer: &mut Vec<u8>) {
    attribute::text(buffer, TABLE, table);
    attribute::text(buffer, NAME, name);
}

/// The devices whose packets enter a base chain: those of a netdev chain, and of one of inet at
/// ingress. A name that ends in `*` stands for all that begin so.
#[must_use]
pub(crate) fn devices(base: &BaseChain) -> Vec<String> {
    /// `NFTA_HOOK_DEV`, `NFTA_HOOK_DEVS`.
    const DEVICE: u16 = 3;
    const DEVICES: u16 = 4;
    /// `NFTA_DEVICE_PREFIX`, beside `NFTA_DEVICE_NAME`.
    const PREFIX: u16 = 2;
    let name = |attribute: Raw<'_>| match attribute.number() {
        PREFIX => format!("{}*", attribute.text()),
        _ => attribute.text(),
    };
    let mut devices = Vec::new();
    for said in &base.hook_extra {
        let said = Raw::of("hook", said);
        match said.number() {
            DEVICE => devices.push(said.text()),
            DEVICES => devices.extend(said.nested("hook").filter_map(Result::ok).map(name)),
            _ => {}
        }
    }
    devices.sort();
    devices.dedup();
    devices
}

/// Reads a body that describes a chain.
///
/// # Errors
///
/// If its bytes are broken, or it has no table or no name.
pub fn decode(family: Family, body: &[u8]) -> Result<Chain, Malformed> {
    let (mut table, mut name) = (None, None);
    let (mut base, mut policy, mut kind) = (None, None, None);
    let mut chain = Chain {
        family,
        table: String::new(),
        name: String::new(),
        base: None,
        flags: 0,
        userdata: Userdata::default(),
        handle: None,
        extra: Vec::new(),
    };
    for attribute in Attributes::of("chain", body) {
        let attribute = attribute?;
        match attribute.number() {
            TABLE => table = Some(attribute.text()),
            NAME => name = Some(attribute.text()),
            HANDLE => chain.handle = Some(attribute.u64()?),
            HOOK => base = Some(decode_hook(attribute)?),
            POLICY => policy = Some(attribute),
            TYPE => kind = Some(attribute),
            FLAGS => chain.flags = attribute.u32()?,
            USERDATA => chain.userdata = Userdata(attribute.bytes.to_vec()),
            // How many rules and jumps there are, and what went through a base chain's end: no
            // part of what the chain is.
            USE | COUNTERS | PAD => {}
            _ => chain.extra.push(attribute.kept()),
        }
    }
    if let Some(mut base) = base {
        if let Some(policy) = policy {
            base.policy = Policy(policy.u32()?);
        }
        if let Some(kind) = kind {
            base.kind = kind.text();
        }
        chain.base = Some(base);
        // `base` says it.
        chain.flags &= !FLAG_BASE;
    } else {
        // A change of a chain that is there already: without the hook.
        let said = policy.into_iter().chain(kind);
        chain.extra.extend(said.map(Raw::kept));
    }
    let missing = |attribute| Malformed::Missing {
        object: "chain",
        attribute,
    };
    chain.table = table.ok_or(missing(TABLE))?;
    chain.name = name.ok_or(missing(NAME))?;
    Ok(chain)
}

/// A base chain of which nothing but the hook is said: the kernel makes it so.
fn decode_hook(hook: Raw<'_>) -> Result<BaseChain, Malformed> {
    let (mut number, mut priority) = (None, None);
    let mut hook_extra = Vec::new();
    for attribute in hook.nested("hook") {
        let attribute = attribute?;
        match attribute.number() {
            HOOK_NUMBER => number = Some(attribute.u32()?),
            HOOK_PRIORITY => priority = Some(attribute.u32()?),
            _ => hook_extra.push(attribute.kept()),
        }
    }
    let missing = |attribute| Malformed::Missing {
        object: "hook",
        attribute,
    };
    Ok(BaseChain {
        kind: "filter".to_owned(),
        hook: Hook(number.ok_or(missing(HOOK_NUMBER))?),
        priority: priority.ok_or(missing(HOOK_PRIORITY))?.cast_signed(),
        policy: Policy::ACCEPT,
        hook_extra,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::strategies;
    use super::*;

    proptest! {
        #[test]
        fn comes_back(chain in strategies::chain()) {
            let mut buffer = Vec::new();
            encode(&chain, &mut buffer);
            prop_assert_eq!(decode(chain.family, &buffer), Ok(chain));
        }
    }

    fn hook(buffer: &mut Vec<u8>) {
        attribute::nest(buffer, HOOK, |buffer| {
            attribute::u32(buffer, HOOK_NUMBER, 4);
            attribute::u32(buffer, HOOK_PRIORITY, (-100_i32).cast_unsigned());
        });
    }

    #[test]
    fn what_a_dump_adds_is_left_out() {
        let mut buffer = Vec::new();
        encode_key("t", "c", &mut buffer);
        hook(&mut buffer);
        let before = decode(Family::Ip, &buffer).unwrap();
        attribute::u32(&mut buffer, FLAGS, FLAG_BASE);
        attribute::u32(&mut buffer, USE, 3);
        attribute::nest(&mut buffer, COUNTERS, |buffer| attribute::u64(buffer, 1, 9));
        attribute::bytes(&mut buffer, PAD, &[]);
        assert_eq!(decode(Family::Ip, &buffer), Ok(before));
    }

    #[test]
    fn a_base_chain_is_a_filter_that_accepts_unless_it_says_otherwise() {
        let mut buffer = Vec::new();
        encode_key("t", "c", &mut buffer);
        hook(&mut buffer);
        let base = decode(Family::Ip, &buffer).unwrap().base.unwrap();
        assert_eq!(
            (base.kind.as_str(), base.policy),
            ("filter", Policy::ACCEPT)
        );
        assert_eq!((base.hook, base.priority), (Hook::POSTROUTING, -100));
    }

    #[test]
    fn a_change_without_the_hook_is_kept() {
        let mut buffer = Vec::new();
        encode_key("t", "c", &mut buffer);
        attribute::u32(&mut buffer, POLICY, 0);
        let chain = decode(Family::Ip, &buffer).unwrap();
        assert_eq!((chain.base.is_none(), chain.extra.len()), (true, 1));
        let mut again = Vec::new();
        encode(&chain, &mut again);
        assert_eq!(again, buffer);
    }

    #[test]
    fn a_hook_without_a_number_means_nothing() {
        let mut buffer = Vec::new();
        encode_key("t", "c", &mut buffer);
        attribute::nest(&mut buffer, HOOK, |buffer| {
            attribute::u32(buffer, HOOK_PRIORITY, 0);
        });
        let missing = Malformed::Missing {
            object: "hook",
            attribute: HOOK_NUMBER,
        };
        assert_eq!(decode(Family::Ip, &buffer), Err(missing));
    }
}
