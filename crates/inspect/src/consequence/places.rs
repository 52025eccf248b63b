//! Where rules of networks stand: what should be there, and what is.

use std::collections::BTreeMap;
use std::path::Path;

use palisade_core::network::{Family, Network};
use palisade_core::state::Record;
use palisade_iptables::backend as iptables;
use palisade_iptables::rule::is_chain;
use palisade_iptables::run::{Programs, Variant};
use palisade_iptables::text;
use palisade_nft::backend as nft;
use palisade_nft::dump::{Depth, Reader};
use palisade_nft::layout::{Layout, TableName};
use palisade_nft::program::Program;

use crate::explain::ExplainError;
use palisade::backends;

/// Rules of one family of packets: in a table of nf_tables, or in the chains that programs of iptables
/// keep.
pub(super) struct Place<'a> {
    pub(super) family: Family,
    /// The networks that have rules there, and where they do in nf_tables.
    networks: Vec<(&'a Network, Option<Layout>)>,
    table: Option<TableName>,
    pub(super) stands: Rules,
    /// Why what stands is not known as a whole.
    pub(super) unread: Option<String>,
}

/// Rules, as one backend has them.
pub(super) enum Rules {
    Nftables(Option<Box<Program>>),
    Iptables(Vec<text::Table>),
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
                    stands: Rules::Nftables(program.map(Box::new)),
                    unread: None,
                });
            }
            for (&variant, networks) in &of_iptables {
                let saved = backends::iptables(namespace).saved_of_ours(variant, family);
                let saved = saved.map_err(|error| ExplainError::Engine(error.into()))?;
                places.push(Self {
                    family,
                    networks: networks.clone(),
                    table: None,
                    stands: Rules::Iptables(ours(&saved.tables)),
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

    /// What should stand there for those networks that are wanted.
    pub(super) fn expected(&self, is_wanted: impl Fn(&Network) -> bool) -> Rules {
        let wanted = self
            .networks
            .iter()
            .filter(|(network, _)| is_wanted(network));
        match &self.table {
            Some(table) => {
                let placed: Vec<(Layout, &Network)> = wanted
                    .filter_map(|&(network, layout)| Some((layout?, network)))
                    .collect();
                Rules::Nftables(Program::of(table, self.family, &placed).map(Box::new))
            }
            None => {
                let networks: Vec<Network> = wanted.map(|&(network, _)| network.clone()).collect();
                Rules::Iptables(iptables::tables(&networks, self.family))
            }
        }
    }
}

/// Our chains, and what leads to them: what others have beside is none of our affair.
fn ours(tables: &[text::Table]) -> Vec<text::Table> {
    let mut ours = tables.to_vec();
    for table in &mut ours {
        let of_kernel: Vec<String> = table
            .chains
            .iter_mut()
            .filter_map(|chain| {
                let policy = chain.policy.as_mut()?;
                "ACCEPT".clone_into(policy);
                Some(chain.name.clone())
            })
            .collect();
        table.rules.retain(|rule| {
            let target = rule.words.behind("-j").or_else(|| rule.words.behind("-g"));
            !of_kernel.contains(&rule.chain) || target.is_some_and(is_chain)
        });
    }
    ours
}
