//! libvirt's own rules for the same bridges: where both act, guests get the stricter of the two.

use std::path::Path;

use palisade_core::network::InterfaceName;
use palisade_iptables::run::{Command, CommandRunner, Processes};
use palisade_nft::dump::{Depth, DumpError, Reader};
use palisade_nft::object::Family;

/// libvirt's table in nf_tables.
pub(crate) const TABLE: &str = "libvirt_network";
/// How the names of its chains begin in iptables.
pub(crate) const CHAINS: &str = "LIBVIRT_";
/// The tables of ip_tables that are in use in the caller's network namespace.
const LEGACY_TABLES: &str = "/proc/net/ip_tables_names";

/// What people should know of libvirt's rules for these bridges: one line for each bridge that it
/// rules too. `reader` reads nf_tables in the `namespace`.
///
/// # Errors
/// If nf_tables cannot be read.
pub(crate) fn notices(
    reader: &mut Reader<'_>,
    namespace: Option<&Path>,
    bridges: &[InterfaceName],
) -> Result<Vec<String>, DumpError> {
    let mut rules = nftables(reader)?;
    if namespace.is_none() && std::fs::read_to_string(LEGACY_TABLES).is_ok_and(|t| !t.is_empty()) {
        rules.extend(legacy());
    }
    if rules.is_empty() {
        return Ok(Vec::new());
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
pub(crate) fn nftables(reader: &mut Reader<'_>) -> Result<Vec<String>, DumpError> {
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
                    let rule = |rule| by_name(&format!("{rule:#}"));
                    rules.extend(chain.rules.iter().map(rule));
                }
            }
        }
    }
    Ok(rules)
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

/// The name of the interface with this index, in the caller's network namespace.
fn interface(index: u32) -> String {
    let named = nix::net::if_::if_indextoname(index);
    named.map_or_else(
        |_| String::new(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn legacy() -> Vec<String> {
    let save = Command {
        program: "iptables-legacy-save".to_owned(),
        arguments: Vec::new(),
        input: String::new(),
    };
    match Processes::new().run(&save) {
        Ok(answer) => String::from_utf8_lossy(&answer.stdout)
            .lines()
            .filter(|line| line.starts_with(&format!("-A {CHAINS}")))
            .map(str::to_owned)
            .collect(),
        Err(error) => {
            log::debug!("iptables-legacy-save: {error}");
            Vec::new()
        }
    }
}
