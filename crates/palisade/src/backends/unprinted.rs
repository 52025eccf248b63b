//! Rules in tables of `iptables-nft` that its programs do not print as they are.

mod ways;

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;

use palisade_core::network::Family;
use palisade_iptables::backend::{Native, NativeChain, NativeRule};
use palisade_iptables::run::families_in_use;
use palisade_iptables::text::Counters;
use palisade_netlink::{Socket, within};
use palisade_nft::dump::Reader;
use palisade_nft::object::{
    Chain, Comparison, Expression, MetaKey, Payload, PayloadBase, Rule, Verdict,
};

use ways::{Ways, map_of, ways};

/// The mark of a packet.
const MARK: MetaKey = MetaKey(3);
/// What `iptables-nft` says with it.
const META: [MetaKey; 6] = [
    MARK,
    MetaKey::IIF,
    MetaKey::OIF,
    MetaKey::IIFNAME,
    MetaKey::OIFNAME,
    MetaKey::L4PROTO,
];
/// Expressions that it writes in bytes of its own, or with more than this build reads.
const OPAQUE: [&str; 4] = ["match", "target", "limit", "log"];

/// Reads the kernel's tables in a network namespace.
pub(crate) struct Kernel {
    pub(crate) namespace: Option<PathBuf>,
}

impl Native for Kernel {
    fn chains(
        &mut self,
        family: Family,
        table: &str,
    ) -> Result<Vec<NativeChain>, Box<dyn Error + Send + Sync>> {
        let mut socket = Socket::open_in(self.namespace.as_deref())?;
        let mut replies = Vec::new();
        let mut reader = Reader::new(&mut socket, &mut replies);
        let ((chains, rules, ways), _) = reader.at_one_moment(|reader| {
            let chains = reader.chains(family.into(), table)?;
            let rules = reader.rules(family.into(), table)?;
            let ways = ways(reader, (family, table), &rules)?;
            Ok((chains, rules, ways))
        })?;
        let mut of_chain: HashMap<String, Vec<NativeRule>> = HashMap::new();
        for rule in &rules {
            let rules = of_chain.entry(rule.chain.clone()).or_default();
            rules.push(seen(rule, family, &ways));
        }
        let fill = |chain: Chain| NativeChain {
            rules: of_chain.remove(&chain.name).unwrap_or_default(),
            policy: chain
                .base
                .map(|base| base.policy.to_string().to_uppercase()),
            name: chain.name,
        };
        Ok(chains.into_iter().map(fill).collect())
    }

    fn chain_names(
        &mut self,
        family: Family,
        table: &str,
    ) -> Result<Vec<String>, Box<dyn Error + Send + Sync>> {
        let mut socket = Socket::open_in(self.namespace.as_deref())?;
        let mut replies = Vec::new();
        let mut reader = Reader::new(&mut socket, &mut replies);
        let (chains, _) = reader.at_one_moment(|reader| reader.chains(family.into(), table))?;
        Ok(chains.into_iter().map(|chain| chain.name).collect())
    }

    /// One that cannot be looked at may be in use.
    fn uses_legacy(&mut self, family: Family) -> bool {
        let used = match &self.namespace {
            None => Ok(families_in_use()),
            Some(path) => within(path.clone(), || Ok(families_in_use())),
        };
        used.map_or(true, |used| used.contains(&family))
    }
}

fn seen(rule: &Rule, family: Family, ways: &Ways) -> NativeRule {
    let mut text = rule.to_string();
    if let Some(ways) = map_of(rule).and_then(|map| ways.get(map)) {
        text.push_str(&format!(" {{ {ways} }}"));
    }
    let mut counters = None;
    let mut rest = Vec::new();
    for expression in &rule.expressions {
        match expression {
            Expression::Counter(counter) => {
                counters = Some(Counters {
                    packets: counter.packets,
                    bytes: counter.bytes,
                });
            }
            other => rest.push(other),
        }
    }
    let jump = match rest.as_slice() {
        [Expression::Verdict(Verdict::Jump(chain))] if rule.userdata.text().is_none() => {
            Some(chain.clone())
        }
        _ => None,
    };
    NativeRule {
        handle: rule.handle.unwrap_or_default(),
        text,
        is_printed: is_printed(rule, family),
        jump,
        counters,
    }
}

/// Whether the programs print all of a rule: only of what they write themselves.
fn is_printed(rule: &Rule, family: Family) -> bool {
    // Less and more the programs know of ports alone.
    let mut is_of_transport = false;
    rule.expressions.iter().all(|expression| match expression {
        Expression::Meta(meta) => {
            is_of_transport = false;
            META.contains(&meta.key)
        }
        Expression::Payload(payload) => {
            is_of_transport = payload.base == PayloadBase::TRANSPORT;
            is_known(*payload, family)
        }
        Expression::Compare(compare) => {
            let is_plain = [Comparison::Equal, Comparison::NotEqual].contains(&compare.operator);
            is_plain || is_of_transport
        }
        Expression::Range(_) => is_of_transport,
        Expression::Bitwise(_)
        | Expression::Counter(_)
        | Expression::Limit(_)
        | Expression::Log(_) => true,
        Expression::Verdict(verdict) => !matches!(verdict, Verdict::Continue | Verdict::Other(_)),
        Expression::Unknown { name, .. } => OPAQUE.contains(&name.as_str()),
        _ => false,
    })
}

/// Whether it is a part of a header that has a name in iptables.
fn is_known(payload: Payload, family: Family) -> bool {
    let offsets: &[u32] = match (payload.base, family) {
        // Fragments, time to live, protocol, and the addresses.
        (PayloadBase::NETWORK, Family::Ipv4) => &[6, 8, 9, 12, 16],
        // Next header, hop limit, and the addresses.
        (PayloadBase::NETWORK, Family::Ipv6) => &[6, 7, 8, 24],
        // Ports, or type and code, and flags of TCP.
        (PayloadBase::TRANSPORT, _) => &[0, 1, 2, 13],
        _ => &[],
    };
    offsets.contains(&payload.offset)
}
