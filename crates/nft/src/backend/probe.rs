//! Whether this kernel can do what a layout needs: tried out, and taken back by the kernel itself.
//!
//! A batch makes all kinds of objects that the layout has, in a table of a name that nobody has,
//! and ends in a message that must fail. So nothing of it ever stands, and whatever else fails is
//! what the kernel lacks.

use std::borrow::Cow;

use palisade_core::network::{AddressRange, Description, Forward, Nat, Network, NetworkError};
use palisade_core::rules::Layer;
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

use super::Nftables;
use crate::batch::{Batch, CommitError, Refusal, commit};
use crate::layout::{Layout, TableName};
use crate::object;
use crate::program::Program;

/// A table that nobody has: the last message deletes it.
const BAIT: &str = "palisade_probe_of_nothing";
/// The table in which everything is tried.
pub(super) const TABLE: &str = "palisade_probe";

/// Why a layout cannot be used here.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// The kernel refused objects that it needs, or cannot be asked.
    #[error("layout {layout} does not work in this kernel: {source}")]
    Lacking {
        /// The layout.
        layout: Layout,
        /// What was refused.
        source: CommitError,
    },
    /// The kernel cannot be asked.
    #[error("the kernel does not say what it can do: {0}")]
    Unanswered(CommitError),
    /// The kernel took what it should have refused: it has been taken away again.
    #[error("a batch that must fail was committed")]
    Committed,
}

impl Hint for ProbeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Lacking { .. } => ErrorKind::Unsupported,
            Self::Unanswered(source) => source.kind(),
            Self::Committed => ErrorKind::Internal,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Lacking { source, .. } | Self::Unanswered(source) => source.hint(),
            Self::Committed => "report it with `uname -r`".into(),
        }
    }
}

impl Nftables {
    /// Tries out whether this kernel can do what a layout needs. Nothing stands afterwards.
    ///
    /// # Errors
    /// With what the kernel refused.
    pub fn probe(&mut self, layout: Layout) -> Result<(), ProbeError> {
        let lacking = |source| ProbeError::Lacking { layout, source };
        match attempt(self, |batch| everything(batch, layout)) {
            Ok(refusals) if refusals.is_empty() => Ok(()),
            Ok(refusals) => Err(lacking(CommitError::Refused(refusals))),
            Err(ProbeError::Unanswered(source)) => Err(lacking(source)),
            Err(error) => Err(error),
        }
    }
}

/// What the kernel refuses of a batch that is taken back by the kernel itself, since it ends in what
/// must fail.
pub(super) fn attempt(
    nftables: &mut Nftables,
    fill: impl FnOnce(&mut Batch),
) -> Result<Vec<Refusal>, ProbeError> {
    let mut batch = Batch::new(None);
    fill(&mut batch);
    batch.delete_table(object::Family::Ip, BAIT);
    let batch = batch.finish();
    match commit(nftables.transport.as_mut(), &batch, &mut nftables.replies) {
        Err(CommitError::Refused(mut refusals)) => {
            refusals.retain(|refusal| !refusal.object.contains(BAIT));
            Ok(refusals)
        }
        Ok(()) => {
            let mut undo = Batch::new(None);
            undo.delete_table(object::Family::Ip, TABLE);
            undo.delete_table(object::Family::Ip6, TABLE);
            let undo = undo.finish();
            let undone = commit(nftables.transport.as_mut(), &undo, &mut nftables.replies);
            if let Err(error) = undone {
                log::error!("{error}");
            }
            Err(ProbeError::Committed)
        }
        Err(error) => Err(ProbeError::Unanswered(error)),
    }
}

/// All that a layout may have.
fn everything(batch: &mut Batch, layout: Layout) {
    let networks: Vec<Network> = samples().into_iter().flatten().collect();
    let placed: Vec<(Layout, &Network)> = networks.iter().map(|n| (layout, n)).collect();
    let table: Result<TableName, _> = TABLE.parse();
    let programs = table.map(|table| {
        Layout::LAYERS
            .map(Layer::family)
            .map(|family| Program::of(&table, family, &placed))
    });
    for program in programs.into_iter().flatten().flatten() {
        batch.add_program(&program);
    }
}

/// Networks that need everything that a layout has.
fn samples() -> Vec<Result<Network, NetworkError>> {
    let documentation = std::net::Ipv4Addr::new(203, 0, 113, 7);
    let nat = Nat {
        ipv6: true,
        ..Nat::default()
    };
    let ranges = Nat {
        device: "eth0".parse().ok(),
        addresses: AddressRange::new(documentation, documentation).ok(),
        ..Nat::default()
    };
    let forwards = [
        (Forward::Nat(nat), ["10.1.0.0/24", "fd00:1::/64"]),
        (Forward::Nat(ranges), ["10.2.0.0/26", "fd00:2::/64"]),
        (
            Forward::Route { device: None },
            ["10.3.0.0/16", "fd00:3::/64"],
        ),
    ];
    let mut samples = Vec::new();
    for ((forward, subnets), letter) in forwards.into_iter().zip('a'..) {
        let (Ok(name), bridge) = (letter.to_string().parse(), letter.to_string().parse()) else {
            continue;
        };
        samples.push(Network::new(Description {
            subnets: subnets
                .iter()
                .filter_map(|subnet| subnet.parse().ok())
                .collect(),
            ..Description::new(name, bridge.ok(), forward)
        }));
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_samples_are_networks() {
        let samples = samples();
        assert_eq!(samples.len(), 3);
        assert!(samples.iter().all(|sample| {
            sample
                .as_ref()
                .is_ok_and(|network| network.subnets().len() == 2)
        }));
    }
}
