//! libvirt's own rules for the same bridges: where both act, guests get the stricter of the two.

use std::path::Path;

use palisade_core::network::{Family as Ip, InterfaceName};
use palisade_iptables::backend::Saved;
use palisade_iptables::run::Variant;
use palisade_netlink::SocketError;
use palisade_nft::dump::{Depth, DumpError, Reader};
use palisade_nft::object::Family;
use thiserror::Error;

use crate::ip_tables;
use palisade::backends;

/// libvirt's table in nf_tables.
pub(crate) const TABLE: &str = "libvirt_network";
/// How the names of its chains begin in iptables.
const CHAINS: &str = "LIBVIRT_";

/// A rule of libvirt's in nf_tables.
#[derive(Debug)]
pub(crate) struct Native {
    pub(crate) family: Family,
    pub(crate) table: String,
    pub(crate) chain: String,
    pub(crate) handle: Option<u64>,
    /// What it says, with names for interfaces.
    pub(crate) text: String,
}

/// Why libvirt's rules could not be looked for.
#[derive(Debug, Error)]
pub(crate) enum LookError {
    /// nf_tables could not be read.
    #[error(transparent)]
    Read(#[from] DumpError),
    /// The namespace could not be entered.
    #[error(transparent)]
    Enter(#[from] SocketError),
}

/// What people should know of libvirt's rules for these bridges: one line for each bridge that it
/// rules too. `reader` reads nf_tables in the `namespace`.
///
/// # Errors
/// If nf_tables cannot be read, or the namespace not be entered.
pub(crate) fn notices(
    reader: &mut Reader<'_>,
    namespace: Option<&Path>,
    bridges: &[InterfaceName],
) -> Result<Vec<String>, LookError> {
    let native = nftables(reader, namespace)?;
    let mut rules: Vec<String> = native.into_iter().map(|rule| rule.text).collect();
    // It rules IPv4 on each of its bridges, whatever addresses there are.
    let family = Ip::Ipv4;
    if ip_tables::families(namespace)?.contains(&family) {
        match backends::iptables(namespace).saved(Variant::Legacy, family) {
            Ok(saved) => rules.extend(in_iptables(&saved)),
            Err(error) => log::debug!("{error}"),
        }
    }
    let bridges = bridges.iter().map(InterfaceName::as_str);
    let told = bridges
        .filter(|bridge| names(&rules, bridge))
        .map(|bridge| {
            format!(
                "libvirt has rules for bridge `{bridge}` too, and both act: stop libvirt's network \
             (virsh net-destroy NAME), or leave the bridge to it"
            )
        });
    Ok(told.collect())
}

/// Whether one of these rules is about this bridge.
pub(crate) fn names(rules: &[String], bridge: &str) -> bool {
    let name = format!("\"{bridge}\"");
    let words = [format!("-i {bridge} "), format!("-o {bridge} ")];
    let names_it = |rule: &String| {
        rule.contains(&name) || words.iter().any(|words| format!("{rule} ").contains(words))
    };
    rules.iter().any(names_it)
}

/// libvirt's rules in nf_tables: in its own table, and in the chains that `iptables-nft` made.
pub(crate) fn nftables(
    reader: &mut Reader<'_>,
    namespace: Option<&Path>,
) -> Result<Vec<Native>, LookError> {
    let mut rules = Vec::new();
    // All tables in one question: most hosts have none of these.
    for found in reader.tables(Family::Other(0))? {
        let (family, table) = (found.family, found.name.as_str());
        let is_meant =
            matches!(family, Family::Ip | Family::Ip6) && [TABLE, "filter"].contains(&table);
        // Ours may have such a name too.
        if is_meant
            && palisade_nft::layout::version(&found).is_none()
            && let Some(program) = reader.program(family, table, Depth::Outline)?
        {
            for chain in &program.chains {
                if table == TABLE || chain.chain.name.starts_with(CHAINS) {
                    rules.extend(chain.rules.iter().map(|rule| Native {
                        family,
                        table: table.to_owned(),
                        chain: rule.chain.clone(),
                        handle: rule.handle,
                        text: format!("{rule:#}"),
                    }));
                }
            }
        }
    }
    if rules.is_empty() {
        return Ok(rules); // So it is on most hosts, and a namespace need not be entered for it.
    }
    let named = move || {
        rules
            .iter_mut()
            .for_each(|rule| rule.text = by_name(&rule.text));
        rules
    };
    Ok(match namespace {
        Some(path) => palisade_netlink::within(path.to_owned(), || Ok(named()))?,
        None => named(),
    })
}

/// libvirt matches bridges by index where nf_tables lets it: `iif 7` is shown as `iif "virbr0"`.
fn by_name(rule: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in rule.split(' ') {
        let is_index = matches!(words.last().map(String::as_str), Some("iif" | "oif"));
        match word.parse::<u32>() {
            Ok(index) if is_index => words.push(format!("\"{}\"", interface(index))),
            _ => words.push(word.to_owned()),
        }
    }
    words.join(" ")
}

/// The name of the interface with this index, in the network namespace of the calling thread.
fn interface(index: u32) -> String {
    let named = nix::net::if_::if_indextoname(index);
    named.map_or_else(
        |_| String::new(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// libvirt's rules in its chains of iptables.
pub(crate) fn in_iptables(saved: &Saved) -> impl Iterator<Item = String> {
    let tables = saved.tables.iter();
    let its = tables.flat_map(|table| table.rules.iter().filter(|rule| is_its_chain(&rule.chain)));
    its.map(ToString::to_string)
}

/// Whether a chain of iptables is libvirt's.
pub(crate) fn is_its_chain(name: &str) -> bool {
    name.starts_with(CHAINS)
}
