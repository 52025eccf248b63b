//! Of what stands in the kernel.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use palisade_core::Hint;
use palisade_core::engine::EngineError;
use palisade_core::evaluate::{Ground, Member};
use palisade_core::network::{Family, Network};
use palisade_iptables::evaluate::Tables;
use palisade_iptables::run::Variant;
use palisade_iptables::text;
use palisade_netlink::SocketError;
use palisade_netlink::rtnetlink::{Host, HostError};
use palisade_nft::dump::{Depth, DumpError, Reader};
use palisade_nft::evaluate::member;
use palisade_nft::layout::{self, OF_IPTABLES};
use palisade_nft::object;
use palisade_nft::program::Program;
use thiserror::Error;

use super::resolve::{self, Resolved};
use super::{Explanation, Question, ResolveError};
use crate::devices::devices;
use crate::ip_tables;
use palisade::RenderError;
use palisade::backends;

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
    Socket(#[from] SocketError),
    /// The tables could not be read.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// The interfaces and routes could not be read.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl Hint for ExplainError {
    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Resolve(error) => error.hint(),
            Self::Networks(error) => error.hint(),
            Self::Engine(error) => error.hint(),
            Self::Socket(error) => error.hint(),
            Self::Dump(error) => error.hint(),
            Self::Host(error) => error.hint(),
        }
    }

    fn is_wrong_usage(&self) -> bool {
        matches!(self, Self::Resolve(error) if error.is_wrong_usage())
    }
}

/// What stands in a network namespace: read once for each family, when its first packet comes.
pub(crate) struct Live<'a> {
    namespace: Option<&'a Path>,
    networks: Vec<Network>,
    host: Host,
    scenes: BTreeMap<Family, Scene>,
}

impl<'a> Live<'a> {
    /// Where these networks run.
    pub(crate) fn of(
        networks: Vec<Network>,
        namespace: Option<&'a Path>,
    ) -> Result<Self, ExplainError> {
        Ok(Self {
            namespace,
            networks,
            host: Host::read(namespace)?,
            scenes: BTreeMap::new(),
        })
    }

    pub(crate) fn explain(
        &mut self,
        reader: &mut Reader<'_>,
        question: &Question,
    ) -> Result<Explanation, ExplainError> {
        let resolved = resolve::resolve(question, &self.networks, Some(&self.host))?;
        let family = resolved.packet.family();
        let scene = match self.scenes.entry(family) {
            Entry::Occupied(read) => read.into_mut(),
            Entry::Vacant(unread) => {
                unread.insert(Scene::read(reader, self.namespace, family, &self.host)?)
            }
        };
        Ok(scene.explain(resolved, &self.host))
    }
}

/// What packets of one family go through, and what of it cannot be seen.
struct Scene {
    ground: Ground<'static>,
    unseen: Vec<String>,
}

impl Scene {
    fn read(
        reader: &mut Reader<'_>,
        namespace: Option<&Path>,
        family: Family,
        host: &Host,
    ) -> Result<Self, ExplainError> {
        let mut programs = programs(reader)?;
        let mut printed = Vec::new();
        let mut unseen = Vec::new();
        for variant in standing(&programs, family, namespace)? {
            match saved(&mut programs, variant, family, namespace) {
                Ok(member) => printed.extend(member),
                Err(why) => unseen.extend(why),
            }
        }
        let tables = programs.into_iter().map(Cow::Owned);
        let members = tables.map(member).chain(printed);
        let ground = Ground::new(members).on(devices(host));
        Ok(Self { ground, unseen })
    }

    fn explain(&self, resolved: Resolved, host: &Host) -> Explanation {
        let mut explanation = Explanation::of(&self.ground, resolved);
        explanation.notes.extend(self.unseen.iter().cloned());
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
        explanation.name_addresses(host);
        explanation
    }
}

/// All tables that packets of IP may enter, also as frames, as they were at one moment.
fn programs(reader: &mut Reader<'_>) -> Result<Vec<Program>, DumpError> {
    let is_ip = |table: &object::Table| {
        use object::Family::{Bridge, Inet, Ip, Ip6, Netdev};
        matches!(table.family, Inet | Ip | Ip6 | Bridge | Netdev)
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

/// Which programs of iptables have tables for a family of packets.
fn standing(
    programs: &[Program],
    family: Family,
    namespace: Option<&Path>,
) -> Result<Vec<Variant>, SocketError> {
    let legacy = ip_tables::families(namespace)?;
    let is_of_iptables =
        |program: &Program| OF_IPTABLES.iter().any(|name| is_its(program, family, name));
    let mut standing = Vec::new();
    if programs.iter().any(is_of_iptables) {
        standing.push(Variant::Nft);
    }
    if legacy.contains(&family) {
        standing.push(Variant::Legacy);
    }
    Ok(standing)
}

/// Whether a table of nf_tables is the one that programs of iptables call so.
fn is_its(program: &Program, family: Family, name: &str) -> bool {
    program.table.family == object::Family::from(family)
        && program.table.name == name
        && layout::version(&program.table).is_none()
}

/// The tables that programs of iptables print, in the place of those of nf_tables that are the same:
/// their programs know what they match, of which nf_tables has a part.
///
/// # Errors
/// What people should know if they cannot be printed.
fn saved(
    programs: &mut Vec<Program>,
    variant: Variant,
    family: Family,
    namespace: Option<&Path>,
) -> Result<Option<Member<'static>>, Option<String>> {
    let tables = match backends::iptables(namespace).saved(variant, family) {
        Ok(saved) => saved.tables,
        Err(error) => {
            log::debug!("{error}");
            // Those of iptables-nft are among the tables of nf_tables.
            let unseen = format!(
                "the rules of iptables-legacy for {family} stand here, and cannot be read: {error}"
            );
            return Err((variant == Variant::Legacy).then_some(unseen));
        }
    };
    if tables
        .iter()
        .all(|table| table.rules.is_empty() && !drops(table))
    {
        return Ok(None);
    }
    if variant == Variant::Nft {
        let is_saved = |program: &Program| {
            tables
                .iter()
                .any(|table| is_its(program, family, &table.name))
        };
        programs.retain(|program| !is_saved(program));
    }
    let label = format!("{}-{variant}", word(family));
    Ok(Some(Tables::member(&label, family, &tables)))
}

fn drops(table: &text::Table) -> bool {
    let drops = |chain: &text::Chain| chain.policy.as_deref() == Some("DROP");
    table.chains.iter().any(drops)
}

/// What the programs of a family are called.
pub(super) fn word(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "iptables",
        Family::Ipv6 => "ip6tables",
    }
}
