//! The rules of everybody: tables of nf_tables, and what both families of iptables programs list.

use std::path::Path;

use palisade_core::network::Family;
use palisade_iptables::backend::Saved;
use palisade_iptables::run::Variant;
use palisade_nft::dump::{Depth, DumpError, Reader};
use palisade_nft::layout::{self, OF_IPTABLES};
use palisade_nft::object::{self, Table};
use palisade_nft::program::Program;

use super::finding::{Check, Evidence, Finding, Severity};
use palisade::backends;

/// The rules of everybody, as they stood.
#[derive(Debug, Default)]
pub(super) struct Rulesets {
    /// Tables of nf_tables that are neither ours nor in `saved`, in which packets of IPv4 or IPv6
    /// can be stopped.
    pub(super) foreign: Vec<Program>,
    /// Those that are ours.
    pub(super) own: Vec<Program>,
    /// All tables of nf_tables.
    pub(super) tables: Vec<Table>,
    /// What iptables programs list.
    pub(super) saved: Vec<Saved>,
    /// What could not be looked at.
    pub(super) unseen: Vec<Finding>,
}

impl Rulesets {
    pub(super) fn read(
        reader: &mut Reader<'_>,
        namespace: Option<&Path>,
        legacy: &[Family],
    ) -> Result<Self, DumpError> {
        let ((tables, foreign, own), _) = reader.at_one_moment(|reader| {
            let tables = reader.tables(object::Family::Other(0))?;
            let (mut foreign, mut own) = (Vec::new(), Vec::new());
            for table in tables.iter().filter(|table| is_foreign(table)) {
                foreign.extend(reader.program(table.family, &table.name, Depth::Elements)?);
            }
            for table in tables.iter().filter(|t| layout::version(t).is_some()) {
                own.extend(reader.program(table.family, &table.name, Depth::Elements)?);
            }
            Ok((tables, foreign, own))
        })?;
        let mut rulesets = Self {
            foreign,
            own,
            tables,
            ..Self::default()
        };
        let mut programs = backends::iptables(namespace);
        for family in Family::BOTH {
            for variant in Variant::BOTH {
                let is_used = match variant {
                    Variant::Legacy => legacy.contains(&family),
                    Variant::Nft => rulesets.tables.iter().any(|table| {
                        table.family == object::Family::from(family) && is_of_iptables(table)
                    }),
                };
                if !is_used {
                    continue;
                }
                match programs.saved(variant, family) {
                    Ok(saved) => rulesets.saved.push(saved),
                    Err(error) => rulesets.unseen.push(unseen(variant, family, &error)),
                }
            }
        }
        rulesets.forget_what_was_saved();
        Ok(rulesets)
    }

    /// A table that iptables programs list is read in their words: they know their own extensions.
    fn forget_what_was_saved(&mut self) {
        let saved = &self.saved;
        self.foreign.retain(|program| {
            let table = &program.table;
            !saved.iter().any(|saved| {
                saved.variant == Variant::Nft
                    && object::Family::from(saved.family) == table.family
                    && saved.tables.iter().any(|saved| saved.name == table.name)
            })
        });
    }

    /// What iptables programs list for a family of packets.
    pub(super) fn saved_of(&self, family: Family) -> impl Iterator<Item = &Saved> {
        let saved = self.saved.iter();
        saved.filter(move |saved| saved.family == family)
    }
}

fn is_of_iptables(table: &Table) -> bool {
    let is_ip = matches!(table.family, object::Family::Ip | object::Family::Ip6);
    is_ip && OF_IPTABLES.contains(&table.name.as_str())
}

fn is_foreign(table: &Table) -> bool {
    use object::Family::{Bridge, Inet, Ip, Ip6, Netdev};
    /// `NFT_TABLE_F_DORMANT`: none of its rules counts.
    const DORMANT: u32 = 1;
    matches!(table.family, Inet | Ip | Ip6 | Bridge | Netdev)
        && layout::version(table).is_none()
        && table.flags & DORMANT == 0
}

fn unseen(
    variant: Variant,
    family: Family,
    error: &palisade_core::backend::BackendError,
) -> Finding {
    let (program, package) = (
        format!("iptables-{variant}-save"),
        "apt-get install iptables",
    );
    Finding {
        check: Check::NotSeen,
        severity: Severity::Note,
        networks: Vec::new(),
        summary: format!("the rules of {variant} iptables for {family} could not be looked at"),
        evidence: vec![Evidence::Table {
            program,
            table: error.to_string(),
        }],
        meaning: "they are in use, and may drop what guests send".to_owned(),
        mend: vec![package.to_owned()],
    }
}
