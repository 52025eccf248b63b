//! What one family of programs holds for one family of packets: which networks, what of them comes
//! and what goes.

use std::collections::{BTreeMap, HashSet};

use palisade_core::backend::{Addition, Change, Foreign, Installed, Placement};
use palisade_core::identity::Digest;
use palisade_core::network::Family;
use palisade_core::rules::{Layer, RuleKind};
use palisade_core::state::Record;

use crate::rule::{LAYERS, Placed, Table, digest, identity, placed};
use crate::run::Variant;

/// What shall become of the tables of one family.
#[derive(Debug)]
pub(super) struct Area<'a> {
    pub(super) variant: Variant,
    pub(super) family: Family,
    /// The networks that it shall hold, in the order in which they were started.
    pub(super) networks: Vec<Held>,
    /// What is recorded of networks that go, or are replaced.
    pub(super) gone: Vec<&'a Installed>,
    /// The rules of networks that come, by their place in [`Change::add`].
    pub(super) added: Vec<(usize, Vec<Placed>)>,
    /// The rules of networks that stay and are looked at, by their place in [`Change::restore`].
    pub(super) restored: Vec<(usize, Vec<Placed>)>,
    /// What is recorded of those beyond what they need.
    pub(super) excess: Vec<(usize, &'a Installed)>,
    /// What becomes of rules of others in our chains.
    pub(super) foreign: Foreign,
}

/// What an area shall hold of one network.
#[derive(Debug)]
pub(super) struct Held {
    /// Its rules, in the order in which they are issued.
    pub(super) rules: Vec<Placed>,
    /// Whether it comes with this change.
    pub(super) comes: bool,
}

impl<'a> Area<'a> {
    fn new(variant: Variant, family: Family) -> Self {
        Self {
            variant,
            family,
            networks: Vec::new(),
            gone: Vec::new(),
            added: Vec::new(),
            restored: Vec::new(),
            excess: Vec::new(),
            foreign: Foreign::Keep,
        }
    }

    /// All that is recorded and not wanted any more, with the network of [`Area::restored`] that it
    /// is recorded for.
    pub(super) fn all_gone(&self) -> impl Iterator<Item = (Option<usize>, &'a Installed)> {
        let removed = self.gone.iter().map(|&installed| (None, installed));
        let excess = self.excess.iter();
        removed.chain(excess.map(|&(network, installed)| (Some(network), installed)))
    }

    /// The rules that it shall hold.
    pub(super) fn rules(&self) -> impl Iterator<Item = &Placed> {
        self.networks.iter().flat_map(|held| &held.rules)
    }

    /// Whether one of the networks that come was started before one that stays.
    pub(super) fn comes_between(&self) -> bool {
        let start = self.networks.iter().position(|held| held.comes);
        start.is_some_and(|start| self.networks[start..].iter().any(|held| !held.comes))
    }

    /// The tables to change, in an order that leaves no flow without translation: what translates
    /// comes before what lets pass, and goes after it.
    pub(super) fn tables(&self) -> [Table; 3] {
        if self.networks.is_empty() {
            [Table::Filter, Table::Mangle, Table::Nat]
        } else {
            [Table::Nat, Table::Mangle, Table::Filter]
        }
    }
}

/// What a network that is recorded must have in a family. What the kernel refused, so that it alone is
/// not recorded, is not tried again.
fn staying(record: &Record, family: Family) -> Vec<Placed> {
    let mut all = placed(&record.network, family);
    all.retain(|placed| {
        let is_recorded = |i: &Installed| i.family == family && is_same(i, placed);
        let is_recorded = || record.installed.iter().any(is_recorded);
        !placed.kind.is_optional() || record.installed.is_empty() || is_recorded()
    });
    all
}

/// Whether what is recorded is this rule.
pub(super) fn is_same(installed: &Installed, placed: &Placed) -> bool {
    installed.table == placed.table.name()
        && installed.place == placed.chain
        && digest_of(installed) == Some(digest(&placed.words))
}

/// What a rule does that is recorded so.
pub(super) fn digest_of(installed: &Installed) -> Option<Digest> {
    installed.item.rule().map(|rule| rule.digest)
}

/// A recorded rule, as this build prints it; by its comment if this build makes another one.
pub(super) fn text_of(record: &Record, installed: &Installed) -> String {
    let made = placed(&record.network, installed.family);
    match made.into_iter().find(|placed| is_same(installed, placed)) {
        Some(placed) => placed.words.line(),
        None => {
            let comment = installed.item.rule().map(|rule| rule.comment.as_str());
            format!("the rule with comment {:?}", comment.unwrap_or_default())
        }
    }
}

/// The record of a rule.
pub(super) fn installed(family: Family, placed: &Placed) -> Installed {
    Installed {
        family,
        table: placed.table.name().to_owned(),
        place: placed.chain.to_owned(),
        item: identity(&placed.words),
    }
}

/// The areas that a change is about: first those that networks come to, so that a network that
/// moves is never without rules. `variant` says which programs a placement means, and rules of kinds that
/// `omits` names are left out.
pub(super) fn areas<'a, E>(
    change: &Change<'a>,
    omits: impl Fn(RuleKind) -> bool,
    mut variant: impl FnMut(&Placement) -> Result<Variant, E>,
) -> Result<Vec<Area<'a>>, E> {
    let mut areas: BTreeMap<(Variant, Family), Area<'a>> = BTreeMap::new();
    for &record in &change.remove {
        let of = variant(&record.placement)?;
        for installed in &record.installed {
            let area = touch(&mut areas, of, installed.family);
            area.gone.push(installed);
        }
    }
    for (network, &record) in change.restore.iter().enumerate() {
        let of = variant(&record.placement)?;
        for family in LAYERS.map(Layer::family) {
            let mut wanted = staying(record, family);
            wanted.retain(|placed| !omits(placed.kind));
            let keys: HashSet<_> = wanted
                .iter()
                .map(|placed| {
                    let digest = Some(digest(&placed.words));
                    (placed.table.name(), placed.chain, digest)
                })
                .collect();
            let is_wanted = |i: &Installed| {
                let key = (i.table.as_str(), i.place.as_str(), digest_of(i));
                keys.contains(&key)
            };
            let here = record.installed.iter().filter(|i| i.family == family);
            let excess: Vec<_> = here
                .filter(|i| !is_wanted(i))
                .map(|i| (network, i))
                .collect();
            if !wanted.is_empty() || !excess.is_empty() {
                let area = touch(&mut areas, of, family);
                area.excess.extend(excess);
                area.restored.push((network, wanted));
            }
        }
    }
    let mut added = Vec::with_capacity(change.add.len());
    for (network, addition) in change.add.iter().enumerate() {
        let of = variant(addition.placement)?;
        let wanted = LAYERS
            .map(Layer::family)
            .map(|family| (family, placed(addition.network, family)))
            .map(|(family, mut wanted)| {
                wanted.retain(|placed| !omits(placed.kind));
                (family, wanted)
            });
        for (family, wanted) in wanted.iter().filter(|(_, wanted)| !wanted.is_empty()) {
            let area = touch(&mut areas, of, *family);
            area.added.push((network, wanted.clone()));
        }
        added.push(wanted);
    }

    let staying = change.keep.iter().chain(&change.restore);
    let staying = staying.map(|record| (record.order, Member::Staying(record)));
    let coming = change.add.iter().zip(&added);
    let coming = coming.map(|(a, rules)| (a.order, Member::Coming(a, rules)));
    let mut members: Vec<(u64, Member<'_>)> = staying.chain(coming).collect();
    members.sort_by_key(|&(order, _)| order);
    for (_, member) in members {
        let of = variant(member.placement())?;
        for family in LAYERS.map(Layer::family) {
            if let Some(area) = areas.get_mut(&(of, family)) {
                area.networks.extend(member.held(family));
            }
        }
    }
    let mut areas: Vec<Area<'a>> = areas.into_values().collect();
    for area in &mut areas {
        area.foreign = change.foreign;
    }
    areas.sort_by_key(|area| area.added.is_empty());
    Ok(areas)
}

/// A network that will run.
enum Member<'a> {
    Staying(&'a Record),
    /// With its rules, of both families.
    Coming(&'a Addition<'a>, &'a [(Family, Vec<Placed>); 2]),
}

impl Member<'_> {
    fn placement(&self) -> &Placement {
        match self {
            Self::Staying(record) => &record.placement,
            Self::Coming(addition, _) => addition.placement,
        }
    }

    /// What it shall have in a family, if anything.
    fn held(&self, family: Family) -> Option<Held> {
        let (rules, comes) = match self {
            Self::Staying(record) => (staying(record, family), false),
            Self::Coming(_, rules) => {
                let its = rules.iter().find(|(of, _)| *of == family);
                (its.map_or_else(Vec::new, |(_, its)| its.clone()), true)
            }
        };
        (!rules.is_empty()).then_some(Held { rules, comes })
    }
}

fn touch<'m, 'a>(
    areas: &'m mut BTreeMap<(Variant, Family), Area<'a>>,
    variant: Variant,
    family: Family,
) -> &'m mut Area<'a> {
    areas
        .entry((variant, family))
        .or_insert_with(|| Area::new(variant, family))
}
