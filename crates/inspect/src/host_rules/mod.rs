//! The rules of all programs on a host. A folder for each technology implements [`TableGroup`], and
//! nothing else in this crate asks which technology it is.

mod error;
mod group;
mod iptables;
mod nftables;

use std::path::{Path, PathBuf};

use palisade::backends;
use palisade_core::evaluate::Ground;
use palisade_core::network::Family;
use palisade_iptables::run::Variant;
use palisade_netlink::rtnetlink::Link;
use palisade_netlink::{Socket, SocketError};
use palisade_nft::backend::Nftables;
use palisade_nft::dump::Depth;
use palisade_nft::layout::OF_IPTABLES;

use crate::libvirt::Matched;

pub use error::HostRulesError;
pub(crate) use group::{Change, Passage, Place, Removal, StopPlace, TableGroup};
pub(crate) use iptables::SavedTables;
pub(crate) use nftables::NftTable;

/// Reads the rules of a network namespace, by a socket of its own.
pub(crate) struct HostReader {
    nftables: Nftables,
    namespace: Option<PathBuf>,
}

/// The rules of all programs, as they were at one moment.
#[derive(Debug, Default)]
pub(crate) struct HostRules {
    pub(crate) nftables: Vec<NftTable>,
    pub(crate) iptables: Vec<SavedTables>,
    pub(crate) unread: Vec<Unread>,
}

/// Tables that are in use and could not be read.
#[derive(Debug)]
pub(crate) struct Unread {
    /// The variant of the programs that have them.
    pub(crate) variant: Variant,
    pub(crate) family: Family,
    pub(crate) why: String,
}

impl HostReader {
    /// Opens a network namespace; the caller's, if none is named.
    pub(crate) fn open(namespace: Option<&Path>) -> Result<Self, SocketError> {
        let socket = Socket::open_in(namespace)?;
        Ok(Self {
            nftables: Nftables::new(Box::new(socket)),
            namespace: namespace.map(Path::to_owned),
        })
    }

    pub(crate) fn nftables(&mut self) -> &mut Nftables {
        &mut self.nftables
    }

    /// All tables of nf_tables that packets of IP pass, and the tables of iptables for these families.
    pub(crate) fn read(&mut self, families: &[Family]) -> Result<HostRules, HostRulesError> {
        let mut rules = HostRules {
            nftables: nftables::read(&mut self.nftables.reader(), Depth::Elements, |_| true)?,
            ..HostRules::default()
        };
        let legacy = iptables::in_use::families(self.namespace.as_deref())?;
        for &family in families {
            let mut tables = rules.nftables.iter();
            if tables.any(|table| table.is_of_iptables(family)) {
                self.read_saved(Variant::Nft, family, &mut rules);
            }
            if legacy.contains(&family) {
                self.read_saved(Variant::Legacy, family, &mut rules);
            }
        }
        Ok(rules)
    }

    /// libvirt's rules. On most hosts there are none, and one request finds that out.
    pub(crate) fn libvirt_rules(&mut self) -> Result<Vec<Matched>, HostRulesError> {
        let wanted = nftables::may_have_libvirts;
        let mut rules = HostRules {
            nftables: nftables::read(&mut self.nftables.reader(), Depth::Outline, wanted)?,
            ..HostRules::default()
        };
        // libvirt has rules for IPv4 on each of its bridges, whatever addresses there are.
        let family = Family::Ipv4;
        if iptables::in_use::families(self.namespace.as_deref())?.contains(&family) {
            self.read_saved(Variant::Legacy, family, &mut rules);
        }
        let found = |links: &[Link]| -> Vec<Matched> {
            let groups = rules.groups();
            groups
                .flat_map(|group| group.libvirt_rules(links))
                .collect()
        };
        if found(&[]).is_empty() {
            return Ok(Vec::new());
        }
        Ok(found(&Link::all(self.namespace.as_deref())?))
    }

    /// Adds what programs of iptables list. It takes the place of the same tables of nf_tables, since
    /// these programs know their own extensions.
    fn read_saved(&self, variant: Variant, family: Family, rules: &mut HostRules) {
        let read = backends::iptables(self.namespace.as_deref()).saved(variant, family);
        let saved = match read {
            Ok(saved) => SavedTables(saved),
            Err(error) => {
                log::debug!("{error}");
                let why = error.to_string();
                rules.unread.push(Unread {
                    variant,
                    family,
                    why,
                });
                return;
            }
        };
        if variant == Variant::Nft {
            let is_saved = |table: &NftTable| {
                let mut names = saved.0.tables.iter().map(|table| &table.name);
                names.any(|name| table.is_table_of_iptables(family, name))
            };
            rules.nftables.retain(|table| !is_saved(table));
        }
        rules.iptables.push(saved);
    }
}

impl HostRules {
    /// All tables.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &dyn TableGroup> {
        let nftables = self.nftables.iter().map(|table| table as &dyn TableGroup);
        let iptables = self.iptables.iter().map(|saved| saved as &dyn TableGroup);
        nftables.chain(iptables)
    }

    /// All that packets pass.
    pub(crate) fn into_ground(self) -> Ground<'static> {
        let nftables = self.nftables.into_iter().filter_map(NftTable::into_member);
        let iptables = self
            .iptables
            .into_iter()
            .filter_map(SavedTables::into_member);
        Ground::new(nftables.chain(iptables))
    }
}

impl Unread {
    /// Whether the reader of nf_tables sees the rules, as it sees what `iptables-nft` made.
    pub(crate) fn is_seen_elsewhere(&self) -> bool {
        self.variant == Variant::Nft
    }
}

/// Whether programs of iptables share a table; by its family and its name.
pub(crate) fn is_shared(table: &str) -> bool {
    let mut names = OF_IPTABLES.iter();
    names.any(|name| table.ends_with(&format!(" {name}")))
}
