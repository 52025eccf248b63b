//! Where rules of networks stand: what should be there, and what is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use palisade_core::evaluate::{Ground, Member};
use palisade_core::network::{Family, Network};
use palisade_core::state::Record;
use palisade_iptables::backend as iptables;
use palisade_iptables::evaluate::Tables;
use palisade_iptables::rule::is_chain;
use palisade_iptables::run::{Programs, Variant};
use palisade_iptables::text;
use palisade_nft::backend as nft;
use palisade_nft::dump::{Depth, Reader};
use palisade_nft::layout::{Layout, TableName};
use palisade_nft::program::Program;

use crate::explain::ExplainError;
use crate::installed;
use palisade::backends;

/// Rules of one family of packets: in a table of nf_tables, or in the chains that programs of iptables
/// keep.
pub(super) struct Place<'a> {
    pub(super) family: Family,
    /// The networks that have rules there, and where they do in nf_tables.
    networks: Vec<(&'a Network, Option<Layout>)>,
    table: Option<TableName>,
    /// What is installed there for networks, as if no other program had rules.
    pub(super) installed: Ground<'static>,
    /// The same with the rules of other programs that packets meet before, where there are any in the
    /// same base chains.
    pub(super) shared: Option<Ground<'static>>,
    /// Why what stands is not known as a whole.
    pub(super) unread: Option<String>,
}

impl<'a> Place<'a> {
    /// All places of running networks, as they are now.
    pub(super) fn read_all(
        reader: &mut Reader<'_>,
        namespace: Option<&Path>,
        records: &'a [Record],
    ) -> Result<Vec<Self>, ExplainError> {
        let mut of_nftables: BTreeMap<TableName, Vec<(&Network, Option<Layout>)>> = BTreeMap::new();
        let mut of_iptables: BTreeMap<Variant, Vec<(&Network, Option<Layout>)>> = BTreeMap::new();
        for record in records {
            if let Ok(settings) = nft::Settings::try_from(&record.placement) {
                let its = of_nftables.entry(settings.table).or_default();
                its.push((&record.network, Some(settings.layout)));
            } else if let Ok(settings) = iptables::Settings::try_from(&record.placement)
                && let Programs::Of(variant) = settings.programs
            {
                of_iptables
                    .entry(variant)
                    .or_default()
                    .push((&record.network, None));
            }
        }
        let mut places = Vec::new();
        for family in Family::BOTH {
            for (table, networks) in &of_nftables {
                let read = |reader: &mut Reader<'_>| {
                    reader.program(family.into(), table.as_str(), Depth::Elements)
                };
                let (program, _) = reader.at_one_moment(read)?;
                places.push(Self {
                    family,
                    networks: networks.clone(),
                    table: Some(table.clone()),
                    installed: Ground::new(program.map(table_of)),
                    shared: None,
                    unread: None,
                });
            }
            for (&variant, networks) in &of_iptables {
                let saved = backends::iptables(namespace).saved_of_ours(variant, family);
                let saved = saved.map_err(|error| ExplainError::Engine(error.into()))?;
                let ground = |tables: &[text::Table]| Ground::of(Tables::of(family, tables));
                let (own, shared) = (own(&saved.tables), shared(&saved.tables));
                places.push(Self {
                    family,
                    networks: networks.clone(),
                    table: None,
                    shared: (own != shared).then(|| ground(&shared)),
                    installed: ground(&own),
                    unread: saved.left_out.map(|table| {
                        format!(
                            "table `{}` holds what {}-save cannot print",
                            table.name(),
                            saved.program
                        )
                    }),
                });
            }
        }
        Ok(places)
    }

    pub(super) fn networks(&self) -> impl Iterator<Item = &'a Network> {
        self.networks.iter().map(|&(network, _)| network)
    }

    /// What should be installed there for those networks that are wanted.
    pub(super) fn expected(&self, is_wanted: impl Fn(&Network) -> bool) -> Ground<'static> {
        let wanted = self
            .networks
            .iter()
            .filter(|(network, _)| is_wanted(network));
        match &self.table {
            Some(table) => {
                let placed: Vec<(Layout, &Network)> = wanted
                    .filter_map(|&(network, layout)| Some((layout?, network)))
                    .collect();
                Ground::new(Program::of(table, self.family, &placed).map(table_of))
            }
            None => {
                let networks: Vec<Network> = wanted.map(|&(network, _)| network.clone()).collect();
                let tables = iptables::tables(&networks, self.family);
                Ground::of(Tables::of(self.family, &tables))
            }
        }
    }
}

fn table_of(program: Program) -> Member<'static> {
    installed::table(Cow::Owned(program))
}

/// The chains of networks, and what leads to them.
fn own(tables: &[text::Table]) -> Vec<text::Table> {
    let mut own = tables.to_vec();
    for table in &mut own {
        let of_kernel = open_policies(table);
        table
            .rules
            .retain(|rule| !of_kernel.contains(&rule.chain) || leads_to_own(rule));
    }
    own
}

/// The same, and what packets meet before in the same chains of the kernel.
fn shared(tables: &[text::Table]) -> Vec<text::Table> {
    let mut shared = tables.to_vec();
    for table in &mut shared {
        for chain in open_policies(table) {
            let leads = |rule: &text::Rule| rule.chain == chain && leads_to_own(rule);
            let last = table.rules.iter().rposition(leads);
            let mut place = 0..;
            table.rules.retain(|rule| {
                let place = place.next();
                rule.chain != chain || place <= last
            });
        }
    }
    shared
}

/// Lets pass what comes to the ends of the kernel's chains of a table, whose names it returns.
fn open_policies(table: &mut text::Table) -> Vec<String> {
    let chains = table.chains.iter_mut();
    let of_kernel = chains.filter_map(|chain| {
        "ACCEPT".clone_into(chain.policy.as_mut()?);
        Some(chain.name.clone())
    });
    of_kernel.collect()
}

fn leads_to_own(rule: &text::Rule) -> bool {
    let target = rule.words.behind("-j").or_else(|| rule.words.behind("-g"));
    target.is_some_and(is_chain)
}
