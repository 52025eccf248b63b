//! The elements of networks in a table: those that are recorded, met one by one as they stand.
//!
//! An element that is recorded is found where it stands in the kernel's answer, and nothing of it
//! is copied; only what is nobody's is put into words.

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::backend::Installed;
use palisade_core::network::Name;

use super::observed::target;
use crate::layout;
use crate::object::{Element, ElementRef, Set};
use crate::program::ElementOf;

/// What is recorded of sets, and what was met there.
#[derive(Debug, Default)]
pub(super) struct Members<'r> {
    /// By set, and there by key.
    recorded: BTreeMap<&'r str, Vec<Member<'r>>>,
    /// By set, in words.
    foreign: BTreeMap<String, Vec<String>>,
    /// The chains to which elements of others' maps lead.
    targets: BTreeSet<String>,
}

/// An element that is recorded.
#[derive(Debug)]
pub(super) struct Member<'r> {
    key: &'r [u8],
    pub(super) owner: &'r Name,
    pub(super) installed: &'r Installed,
    stands: bool,
    /// The comment that it has instead of its owner's.
    pub(super) misnamed: Option<String>,
}

impl<'r> Members<'r> {
    /// The elements among what is recorded.
    pub(super) fn of(recorded: &[(&'r Name, &'r Installed)]) -> Self {
        let mut members = Self::default();
        for &(owner, installed) in recorded {
            if let Some(key) = installed.item.key() {
                let of_set = members.recorded.entry(&installed.place).or_default();
                of_set.push(Member {
                    key,
                    owner,
                    installed,
                    stands: false,
                    misnamed: None,
                });
            }
        }
        for of_set in members.recorded.values_mut() {
            of_set.sort_by_key(|member| member.key);
            of_set.dedup_by_key(|member| member.key);
        }
        members
    }

    /// An element stands. `whole` is asked for all of it only if it is nobody's.
    pub(super) fn meet<E>(
        &mut self,
        set: &Set,
        element: ElementRef<'_>,
        whole: impl FnOnce() -> Result<Element, E>,
    ) -> Result<(), E> {
        let known = self.recorded.get_mut(set.name.as_str()).and_then(|of_set| {
            let at = of_set.binary_search_by(|member| {
                let key = member.key.iter().copied();
                key.cmp(element.identity())
            });
            of_set.get_mut(at.ok()?)
        });
        if let Some(member) = known {
            member.stands = true;
            let comment = element.text().unwrap_or_default();
            member.misnamed = (comment != member.owner.comment()).then(|| comment.to_owned());
        } else if set.name != layout::TRANSACTION || !layout::is_marker(element.key) {
            let element = &whole()?;
            let text = format!("element {:#}", ElementOf { set, element });
            let foreign = self.foreign.entry(set.name.clone()).or_default();
            foreign.push(text);
            self.targets.extend(target(element).cloned());
        }
        Ok(())
    }

    /// What is recorded and was not met, by set and key.
    pub(super) fn missing(&self) -> impl Iterator<Item = &Member<'r>> {
        let all = self.recorded.values().flatten();
        all.filter(|member| !member.stands)
    }

    /// What is recorded and was met with the comment of another network, or none.
    pub(super) fn misnamed(&self) -> impl Iterator<Item = &Member<'r>> {
        let all = self.recorded.values().flatten();
        all.filter(|member| member.misnamed.is_some())
    }

    /// The chains to which elements lead that are nobody's.
    pub(super) fn targets(&self) -> &BTreeSet<String> {
        &self.targets
    }

    /// What was met in a set and is nobody's, in words.
    pub(super) fn foreign(&self, set: &str) -> impl Iterator<Item = &str> {
        let of_set = self.foreign.get(set).into_iter().flatten();
        of_set.map(String::as_str)
    }
}
