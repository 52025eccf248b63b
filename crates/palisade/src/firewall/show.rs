//! What stands in the kernel for networks.

use std::borrow::Cow;

use palisade_core::backend::{BackendError, Placement};
use palisade_core::engine::EngineError;
use palisade_core::host_action::HostActionError;
use palisade_core::network::Name;
use palisade_core::state::Record;
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

use super::Firewall;
use crate::counters::Counters;
use crate::overview::{Bridge, links};
use crate::shown::{Shown, actions, omitted};

/// Why a network cannot be shown.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ShowError {
    /// The state directory, or what an interrupted process left there.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// No such network.
    #[error("no network named `{0}` is running")]
    Unknown(Name),
    /// The kernel could not be read.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// What is done on the host beside rules could not be looked at.
    #[error(transparent)]
    HostAction(#[from] HostActionError),
}

impl Hint for ShowError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Engine(error) => error.kind(),
            Self::Unknown(_) => ErrorKind::UnknownNetwork,
            Self::Backend(error) => error.kind(),
            Self::HostAction(error) => error.kind(),
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Engine(error) => error.hint(),
            Self::Unknown(_) => "`palisade list` names those that run".into(),
            Self::Backend(error) => error.hint(),
            Self::HostAction(error) => error.hint(),
        }
    }
}

impl Firewall {
    /// One running network, with what stands in the kernel for it.
    ///
    /// # Errors
    /// If there is no such network, or the kernel cannot be read.
    pub fn show(&mut self, name: &Name) -> Result<Shown, ShowError> {
        let records = self.running()?;
        let record = records
            .into_iter()
            .find(|record| record.network.name() == name)
            .ok_or_else(|| ShowError::Unknown(name.clone()))?;
        self.check_rights(EngineError::NotReadable, |record| {
            record.network.name() == name
        })?;
        let needed = self.rules(&record);
        let links = links(self.namespace.as_deref());
        let bridge = record.network.bridge().zip(links.as_deref());
        let mut shown = Shown {
            bridge: bridge.map(|(name, links)| Bridge::of(name, links)),
            counters: Vec::new(),
            record,
            standing: Vec::new(),
            omitted: Vec::new(),
            actions: Vec::new(),
        };
        shown.actions = actions(&mut self.host_actions, &shown.record)?;
        let backend = &shown.record.placement.backend;
        if let Some(backend) = self.backends.iter_mut().find(|b| b.id() == *backend) {
            shown.standing = backend
                .standing(&[&shown.record])?
                .pop()
                .unwrap_or_default();
            shown.counters = Counters::of(&shown.record.network, &shown.standing);
            shown.omitted = omitted(backend.as_ref(), &shown.record, &needed);
        }
        Ok(shown)
    }

    /// Everything that stands in the tables of these networks, as text of the usual program of
    /// their backend (`nft list table`), with counters. Empty if nothing does.
    ///
    /// # Errors
    /// If the kernel cannot be read.
    pub fn listing(&mut self, records: &[Record]) -> Result<String, BackendError> {
        let mut text = String::new();
        for backend in &mut self.backends {
            let placements = records.iter().map(|record| &record.placement);
            let its: Vec<&Placement> = placements.filter(|p| p.backend == backend.id()).collect();
            text.push_str(&backend.listing(&its)?);
        }
        Ok(text)
    }
}
