//! Tables as the kernel registers their base chains.

use std::rc::Rc;

use super::Base;
use super::chains::Chains;
use super::place::Devices;
use super::subject::ConnectionMark;
use crate::owner::Owner;

/// Tables that belong together.
#[derive(Clone)]
pub struct Member<'a> {
    /// What they are called.
    pub label: String,
    /// Whose they are.
    pub owner: Owner,
    chains: Rc<dyn Chains + 'a>,
}

impl<'a> Member<'a> {
    /// Tables, and whose they are.
    pub fn new(label: impl Into<String>, owner: Owner, chains: impl Chains + 'a) -> Self {
        Self {
            label: label.into(),
            owner,
            chains: Rc::new(chains),
        }
    }
}

/// Members, and their base chains in the order in which the kernel calls them.
#[derive(Clone)]
pub(super) struct Registry<'a> {
    pub(super) members: Vec<Member<'a>>,
    /// All base chains, each with its member.
    bases: Vec<(usize, Base)>,
    pub(super) devices: Devices,
    /// Whether the host drops what no rule accepts, of packets that it takes or sends itself.
    pub(super) is_closed: bool,
    /// The mark of connections of which no packet was seen.
    pub(super) connection: ConnectionMark,
}

impl Default for Registry<'_> {
    fn default() -> Self {
        Self::of(Vec::new())
    }
}

impl<'a> Registry<'a> {
    /// Members in the order in which they were made.
    pub(super) fn of(members: Vec<Member<'a>>) -> Self {
        let mut bases: Vec<(usize, Base)> = Vec::new();
        for (member, its) in members.iter().enumerate() {
            bases.extend(its.chains.bases().into_iter().map(|base| (member, base)));
        }
        // Of two with one priority, the kernel calls the one that was registered last first.
        bases.reverse();
        bases.sort_by_key(|(member, base)| {
            let is_last = members[*member].chains.is_first_registered();
            (base.order(), is_last)
        });
        let marks = members.iter().any(|its| its.chains.marks_connections());
        Self {
            members,
            bases,
            devices: Devices::default(),
            is_closed: false,
            connection: match marks {
                true => ConnectionMark::NotYet,
                false => ConnectionMark::Never,
            },
        }
    }

    /// The base chains of all members, or of one, in that order.
    pub(super) fn bases(&self, of: Option<usize>) -> impl Iterator<Item = (&dyn Chains, &Base)> {
        let its = self.numbered(of);
        its.map(|(_, chains, base)| (chains, base))
    }

    /// The same, each with the number of its member.
    pub(super) fn numbered(
        &self,
        of: Option<usize>,
    ) -> impl Iterator<Item = (usize, &dyn Chains, &Base)> {
        let bases = self.bases.iter();
        let its = bases.filter(move |(member, _)| of.is_none_or(|of| of == *member));
        its.map(|(member, base)| {
            let chains = &*self.members[*member].chains as &dyn Chains;
            (*member, chains, base)
        })
    }

    /// Whether what comes to the end of a base chain is dropped.
    pub(super) fn drops(&self, base: &Base) -> bool {
        base.drops || self.is_closed && base.is_of_host
    }
}
