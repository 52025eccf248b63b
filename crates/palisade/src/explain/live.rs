//! Of what stands in the kernel.

use std::path::Path;

use palisade_core::backend::BackendError;
use palisade_core::engine::EngineError;
use palisade_core::network::{Family, Network};
use palisade_iptables::evaluate as iptables;
use palisade_iptables::run::Variant;
use palisade_iptables::text;
use palisade_nft::dump::{Depth, DumpError, Reader};
use palisade_nft::host::{Host, HostError};
use palisade_nft::layout;
use palisade_nft::object;
use palisade_nft::program::Program;
use palisade_nft::socket;
use thiserror::Error;

use super::ground::{Ground, Saved};
use super::{Explanation, Question, ResolveError, resolve};
use crate::render::RenderError;
use crate::usual;

/// Why it cannot be said what becomes of a packet.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// There is no such packet.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The networks cannot run side by side.
    #[error(transparent)]
    Networks(#[from] RenderError),
    /// The state directory, or what an interrupted process left there.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// There is no way to the kernel.
    #[error(transparent)]
    Socket(#[from] socket::OpenError),
    /// The tables could not be read.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// The interfaces and routes could not be read.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The tables of iptables could not be read.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

impl ExplainError {
    /// The way out, in one line.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Resolve(error) => error.hint().to_owned(),
            Self::Networks(error) => error.hint().to_owned(),
            Self::Engine(error) => error.hint(),
            Self::Socket(error) => error.hint().to_owned(),
            Self::Dump(error) => error.hint(),
            Self::Host(error) => error.hint(),
            Self::Backend(error) => error.hint(),
        }
    }
}

/// What becomes of a packet in a network namespace in which these networks run.
pub(crate) fn explain_live(
    reader: &mut Reader<'_>,
    namespace: Option<&Path>,
    networks: &[Network],
    question: &Question,
) -> Result<Explanation, ExplainError> {
    let host = Host::read(namespace)?;
    let (packet, assumptions) = resolve::resolve(question, networks, Some(&host))?;
    let mut ground = Ground {
        programs: programs(reader)?,
        interfaces: host
            .links
            .iter()
            .map(|link| (link.name.clone(), link.index))
            .collect(),
        saved: Vec::new(),
    };
    for variant in Variant::BOTH {
        add_saved(&mut ground, variant, packet.family(), namespace)?;
    }
    let mut explanation = Explanation::of(&ground, packet, assumptions);
    let packet = &explanation.packet;
    for name in [&packet.in_interface, &packet.out_interface]
        .into_iter()
        .flatten()
    {
        if host.link(name.as_str()).is_none() {
            explanation
                .notes
                .push(format!("there is no interface `{name}` here"));
        }
    }
    explanation.name_addresses(&host);
    Ok(explanation)
}

/// All tables that packets of IP may enter, as they were at one moment.
fn programs(reader: &mut Reader<'_>) -> Result<Vec<Program>, DumpError> {
    let is_ip = |table: &object::Table| {
        use object::Family::{Inet, Ip, Ip6};
        matches!(table.family, Inet | Ip | Ip6)
    };
    let (programs, _) = reader.at_one_moment(|reader| {
        let mut programs = Vec::new();
        for table in reader.tables(object::Family::Other(0))? {
            if is_ip(&table) {
                programs.extend(reader.program(table.family, &table.name, Depth::Elements)?);
            }
        }
        Ok(programs)
    })?;
    Ok(programs)
}

/// The names of the tables that iptables-nft makes.
const OF_IPTABLES: [&str; 5] = ["filter", "nat", "mangle", "raw", "security"];

/// Puts the tables that programs of iptables print in the place of those of nf_tables that are the
/// same, or beside them.
fn add_saved(
    ground: &mut Ground,
    variant: Variant,
    family: Family,
    namespace: Option<&Path>,
) -> Result<(), BackendError> {
    let is_its = |program: &Program, name: &str| {
        program.table.family == object::Family::from(family)
            && program.table.name == name
            && layout::version(&program.table).is_none()
    };
    let may_stand = match variant {
        Variant::Nft => ground
            .programs
            .iter()
            .any(|program| OF_IPTABLES.iter().any(|name| is_its(program, name))),
        Variant::Legacy => is_legacy_loaded(family),
    };
    if !may_stand {
        return Ok(());
    }
    let tables = match usual::programs(namespace).saved(variant, family) {
        Ok(saved) => saved.tables,
        Err(error) => {
            log::warn!("the rules of {variant} iptables for {family} are not seen: {error}");
            return Ok(());
        }
    };
    if tables
        .iter()
        .all(|table| table.rules.is_empty() && !drops(table))
    {
        return Ok(());
    }
    if variant == Variant::Nft {
        let is_saved = |program: &Program| tables.iter().any(|table| is_its(program, &table.name));
        ground.programs.retain(|program| !is_saved(program));
    }
    ground.saved.push(Saved {
        name: format!("{}-{variant}", word(family)),
        tables: iptables::Tables::of(family, &tables),
        is_ours: tables.iter().any(has_ours),
    });
    Ok(())
}

/// Asking the programs would load the modules.
fn is_legacy_loaded(family: Family) -> bool {
    let names = match family {
        Family::Ipv4 => "/proc/net/ip_tables_names",
        Family::Ipv6 => "/proc/net/ip6_tables_names",
    };
    Path::new(names).exists()
}

fn drops(table: &text::Table) -> bool {
    let drops = |chain: &text::Chain| chain.policy.as_deref() == Some("DROP");
    table.chains.iter().any(drops)
}

fn has_ours(table: &text::Table) -> bool {
    let is_ours = |chain: &text::Chain| chain.name.starts_with("PALISADE_");
    table.chains.iter().any(is_ours)
}

/// What the programs of a family are called.
pub(super) fn word(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "iptables",
        Family::Ipv6 => "ip6tables",
    }
}
