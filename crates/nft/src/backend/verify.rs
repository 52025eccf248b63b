//! What stands otherwise than it is recorded.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::convert::Infallible;

use palisade_core::backend::{Discrepancy, DiscrepancyKind, Installed};
use palisade_core::identity::Digest;
use palisade_core::network::{Name, Network};
use palisade_core::state::Record;

use super::alike;
use super::area::Area;
use super::item::in_words;
use super::leftovers::Leftovers;
use super::members::{Member, Members};
use super::observed::{Observed, Standing};
use crate::administrator::Administrator;
use crate::dump::{Depth, DumpError, Reader};
use crate::identity::{comment, digest};
use crate::layout::{self, Layout, is_administrators};
use crate::object::{self, Expression, Rule, Table};
use crate::program::{FilledSet, Program};
use crate::statement::{Statement, statements};
use crate::wire::Stranger;

/// A table as it stands, with the objects in it that no layout has.
#[derive(Debug, Clone)]
pub(super) struct Whole {
    pub(super) program: Program,
    pub(super) strangers: Vec<Stranger>,
}

impl Whole {
    pub(super) fn administrator(&self) -> Administrator {
        Administrator::of(&self.program, &self.strangers)
    }
}

/// What is said of parts of a layout that stand for nobody's sake.
pub(super) const LEFT_OVER: &str = "left over: no network needs it";

/// What is said of all else.
pub(super) const NOT_NEEDED: &str = "no network needs it";

/// A table that was read, and what was met of the elements that are recorded.
pub(super) type Read<'r> = (Option<Whole>, Members<'r>);

/// Reads the table of an area. Elements are compared where they stand in the kernel's answers, all else
/// later, since another program may change the ruleset meanwhile.
pub(super) fn look<'r>(
    reader: &mut Reader<'_>,
    area: &Area<'_>,
    recorded: &[(&'r Name, &'r Installed)],
) -> Result<Read<'r>, DumpError> {
    let (family, table) = (area.family.into(), area.table.as_str());
    let mut members = Members::of(recorded);
    let Some(program) = reader.program(family, table, Depth::Outline)? else {
        return Ok((None, members));
    };
    for FilledSet { set, .. } in &program.sets {
        reader.each_element(family, table, &set.name, |listed| {
            members.meet(set, listed.seen, || listed.decode())
        })?;
    }
    let strangers = reader.strangers(family, table)?;
    Ok((Some(Whole { program, strangers }), members))
}

/// The same of a table that was read before, with its elements.
pub(super) fn compare(area: &Area<'_>, records: &[&Record], whole: Option<Whole>) -> Found {
    let recorded = recorded(area, records);
    let mut members = Members::of(&recorded);
    for FilledSet { set, elements } in whole.iter().flat_map(|whole| &whole.program.sets) {
        for element in elements {
            let whole = || Ok::<_, Infallible>(element.clone());
            let Ok(()) = members.meet(set, element.into(), whole);
        }
    }
    compared(area, whole, &recorded, &members)
}

pub(super) fn compared(
    area: &Area<'_>,
    whole: Option<Whole>,
    recorded: &[(&Name, &Installed)],
    members: &Members<'_>,
) -> Found {
    let mut found = Found {
        table: format!(
            "table {} `{}`",
            object::Family::from(area.family),
            area.table
        ),
        all: Vec::new(),
        broken: BTreeSet::new(),
        parts: Vec::new(),
        leftovers: Leftovers::default(),
        administrator: whole
            .as_ref()
            .map_or_else(Administrator::default, Whole::administrator),
    };
    let owners = |of: &dyn Fn(&str) -> bool| -> BTreeSet<Name> {
        let its = recorded
            .iter()
            .filter(|(_, installed)| of(&installed.place));
        its.map(|&(owner, _)| owner.clone()).collect()
    };
    let expected = area.expected();
    let (program, strangers) = match whole {
        Some(Whole { program, strangers }) => (Some(program), strangers),
        None => (None, Vec::new()),
    };
    match (expected, program) {
        (None, None) => {}
        (None, Some(program)) if layout::version(&program.table).is_none() => {} // Not ours.
        (None, Some(_)) if !found.administrator.is_empty() => {} // It is kept for the administrator.
        (None, Some(_)) => found.tell(None, "", DiscrepancyKind::Foreign, NOT_NEEDED),
        (Some(_), None) => {
            let owners: HashSet<&Name> = recorded.iter().map(|&(owner, _)| owner).collect();
            for &(_, network) in &area.networks {
                if owners.contains(network.name()) {
                    found.missing_network(network);
                }
            }
        }
        (Some(_), Some(program)) if layout::version(&program.table) != Some(layout::VERSION) => {
            let detail = otherwise_marked(layout::version(&program.table));
            found.tell(None, "", DiscrepancyKind::Changed, &detail);
            found.broken = owners(&|_| true);
        }
        (Some(expected), Some(program)) => {
            if is_dormant(&program.table) {
                let detail = "it is dormant: none of its rules counts";
                found.tell(None, "", DiscrepancyKind::Changed, detail);
                found.broken = owners(&|_| true);
            }
            let mut observed = Observed::new(program);
            found.leftovers = Leftovers::of(&expected, &observed, members);
            found.chains(&expected, &observed);
            found.sets(&expected, &observed, members);
            let others = strangers.iter().filter(|s| !is_administrators(&s.name));
            for stranger in others {
                let place = stranger.to_string();
                found.tell(None, &place, DiscrepancyKind::Foreign, NOT_NEEDED);
            }
            found.rules(&expected, &mut observed, recorded);
            // What serves all of a layout, or all that have something in a set, is broken for each
            // of them.
            for part in std::mem::take(&mut found.parts) {
                found.broken.extend(owners(&|place| part.serves(place)));
            }
        }
    }
    found
}

/// What is recorded in an area, and for whom.
pub(super) fn recorded<'r>(
    area: &Area<'_>,
    records: &[&'r Record],
) -> Vec<(&'r Name, &'r Installed)> {
    let is_here = |installed: &&Installed| {
        installed.family == area.family && installed.table == area.table.as_str()
    };
    let of = |record: &&'r Record| {
        let name = record.network.name();
        record
            .installed
            .iter()
            .filter(is_here)
            .map(move |installed| (name, installed))
    };
    records.iter().flat_map(of).collect()
}

/// What stands otherwise in an area.
pub(super) struct Found {
    table: String,
    pub(super) all: Vec<Discrepancy>,
    /// The networks of which something is missing or changed.
    pub(super) broken: BTreeSet<Name>,
    /// What is missing or changed that serves several.
    parts: Vec<Part>,
    /// What stands without need for the sake of something foreign, which alone is told.
    leftovers: Leftovers,
    /// What is the administrator's, of which nothing is told.
    administrator: Administrator,
}

/// Something in a table that serves several networks.
enum Part {
    Chain(Layout),
    Sets(Vec<String>),
}

impl Part {
    fn chain(name: &str) -> Option<Self> {
        let layout = Layout::ALL
            .into_iter()
            .find(|layout| layout.has_chain(name));
        layout.map(Self::Chain)
    }

    /// Those that a rule asks; its chain, where it asks none.
    fn rule(rule: &Rule) -> Option<Self> {
        let asked = |expression: &Expression| match expression {
            Expression::Lookup(lookup) => Some(lookup.set.clone()),
            _ => None,
        };
        let sets: Vec<String> = rule.expressions.iter().filter_map(asked).collect();
        if sets.is_empty() {
            Self::chain(&rule.chain)
        } else {
            Some(Self::Sets(sets))
        }
    }

    /// Whether it serves what is recorded in this place.
    fn serves(&self, place: &str) -> bool {
        match self {
            Self::Chain(layout) => layout.has_chain(place) || layout.has_set(place),
            Self::Sets(sets) => sets.iter().any(|set| set == place),
        }
    }
}

impl Found {
    /// Only what is about these networks, or about none in particular.
    pub(super) fn about(mut self, names: &HashSet<&Name>) -> Self {
        let is_about = |name: &Name| names.contains(name);
        self.all
            .retain(|found| found.network.as_ref().is_none_or(is_about));
        self
    }

    fn tell(
        &mut self,
        network: Option<&Name>,
        place: &str,
        kind: DiscrepancyKind,
        detail: impl Into<String>,
    ) {
        let object = match place {
            "" => self.table.clone(),
            place => format!("{place} of {}", self.table),
        };
        self.broken.extend(network.cloned());
        self.all.push(Discrepancy {
            network: network.cloned(),
            object,
            kind,
            detail: detail.into(),
        });
    }

    fn missing_network(&mut self, network: &Network) {
        let detail = format!("all rules of network `{}`", network.name());
        self.tell(Some(network.name()), "", DiscrepancyKind::Missing, detail);
    }

    /// A chain or a set that no network needs.
    fn unneeded(&mut self, place: &str, name: &str, is_of_layout: bool) {
        let detail = if is_of_layout { LEFT_OVER } else { NOT_NEEDED };
        if !self.leftovers.has(name) {
            self.tell(None, place, DiscrepancyKind::Foreign, detail);
        }
    }

    fn chains(&mut self, expected: &Program, observed: &Observed) {
        for chain in &expected.chains {
            let place = format!("chain `{}`", chain.chain.name);
            match observed.program.chain(&chain.chain.name) {
                None => {
                    self.parts.extend(Part::chain(&chain.chain.name));
                    self.tell(None, &place, DiscrepancyKind::Missing, "the whole chain");
                }
                Some(found) => {
                    let (found, wanted) = (&found.chain.base, &chain.chain.base);
                    if let Some(detail) = alike::of_base(found.as_ref(), wanted.as_ref()) {
                        self.parts.extend(Part::chain(&chain.chain.name));
                        self.tell(None, &place, DiscrepancyKind::Changed, detail);
                    }
                }
            }
        }
        for chain in &observed.program.chains {
            let name = &chain.chain.name;
            if expected.chain(name).is_none() && !self.administrator.has(name) {
                let place = format!("chain `{name}`");
                let is_of_layout = Layout::ALL.iter().any(|layout| layout.has_chain(name));
                self.unneeded(&place, name, is_of_layout);
                let rules = observed.rules(name).iter();
                for rule in rules.filter(|rule| !layout::is_of_skeleton(&rule.rule)) {
                    self.tell(None, &place, DiscrepancyKind::Foreign, rule.text());
                }
            }
        }
    }

    fn sets(&mut self, expected: &Program, observed: &Observed, members: &Members<'_>) {
        for filled in &expected.sets {
            let name = filled.set.name.as_str();
            let place = format!("set `{name}`");
            match observed.program.set(name) {
                None => {
                    self.parts.push(Part::Sets(vec![name.to_owned()]));
                    self.tell(None, &place, DiscrepancyKind::Missing, "the whole set");
                }
                Some(found) => {
                    if let Some(detail) = alike::of_set(&found.set, &filled.set) {
                        self.parts.push(Part::Sets(vec![name.to_owned()]));
                        self.tell(None, &place, DiscrepancyKind::Changed, detail);
                    }
                }
            }
        }
        for Member {
            owner, installed, ..
        } in members.missing()
        {
            let place = format!("set `{}`", installed.place);
            let detail = format!("element {}", in_words(installed));
            self.tell(Some(owner), &place, DiscrepancyKind::Missing, detail);
        }
        for member in members.misnamed() {
            let place = format!("set `{}`", member.installed.place);
            let (owner, comment) = (member.owner, member.misnamed.as_deref());
            let element = in_words(member.installed);
            let detail = format!(
                "the comment of element {element} is {:?} instead of {:?}",
                comment.unwrap_or_default(),
                owner.comment()
            );
            self.tell(Some(owner), &place, DiscrepancyKind::Changed, detail);
        }
        for filled in &observed.program.sets {
            let name = filled.set.name.as_str();
            if self.administrator.has(name) {
                continue;
            }
            let place = format!("{} `{name}`", filled.set.word());
            if expected.set(name).is_none() && name != layout::TRANSACTION {
                let is_of_layout = Layout::ALL.iter().any(|layout| layout.has_set(name));
                self.unneeded(&place, name, is_of_layout);
            }
            for detail in members.foreign(name) {
                self.tell(None, &place, DiscrepancyKind::Foreign, detail);
            }
        }
    }

    fn rules(
        &mut self,
        expected: &Program,
        observed: &mut Observed,
        recorded: &[(&Name, &Installed)],
    ) {
        let is_rule = |installed: &Installed| {
            Layout::Flat.has_chain(&installed.place) && installed.item.rule().is_some()
        };
        let rules = recorded.iter().filter(|(_, installed)| is_rule(installed));
        // Those that do what is recorded are found first, then what is there instead of others.
        let missing: Vec<_> = rules
            .filter(|(_, installed)| observed.claim(installed).is_none())
            .collect();
        let made = Made::of(expected);
        for &&(owner, installed) in &missing {
            let place = format!("chain `{}`", installed.place);
            let text = made.text(installed);
            if let Some(standing) = observed.claim_changed(installed) {
                let detail = format!("{} instead of {text}", standing.text());
                self.tell(Some(owner), &place, DiscrepancyKind::Changed, detail);
            } else {
                self.tell(Some(owner), &place, DiscrepancyKind::Missing, text);
            }
        }
        let of_palisade = expected.chains.iter();
        let of_palisade = of_palisade.filter(|chain| !is_administrators(&chain.chain.name));
        for chain in of_palisade {
            self.chain(chain.chain.name.as_str(), &chain.rules, observed);
        }
    }

    /// The rules of the skeleton, what is foreign, and the order.
    fn chain(&mut self, name: &str, expected: &[Rule], observed: &Observed) {
        let place = format!("chain `{name}`");
        let wanted: Vec<Digest> = expected.iter().map(digest).collect();
        let known: HashSet<Digest> = wanted.iter().copied().collect();
        let mut changed: HashSet<Digest> = HashSet::new();
        for (rule, &digest) in expected.iter().zip(&wanted) {
            let is_installed = || observed.rule(name, comment(rule), digest).is_some();
            if !layout::is_of_skeleton(rule) || is_installed() {
                continue;
            }
            self.parts.extend(Part::rule(rule));
            // Another program changed a rule of ours if one with its comment is there instead.
            let mut instead = observed.rules(name).iter().filter(|standing| {
                comment(&standing.rule) == comment(rule) && !known.contains(&standing.digest())
            });
            match instead.next() {
                Some(standing) => {
                    changed.insert(standing.digest());
                    let detail = format!("{} instead of {rule:#}", standing.text());
                    self.tell(None, &place, DiscrepancyKind::Changed, detail);
                }
                None => self.tell(None, &place, DiscrepancyKind::Missing, format!("{rule:#}")),
            }
        }
        let mut seen: HashSet<Digest> = HashSet::new();
        let mut ours = Vec::new();
        for standing in observed.rules(name) {
            let digest = standing.digest();
            let is_wanted = known.contains(&digest) && standing.is_claimed();
            if is_wanted && seen.insert(digest) {
                ours.push(digest);
            } else if changed.contains(&digest) {
                // Told above.
            } else if self.leftovers.serves(&standing.rule) {
                // What it is left over for is told.
            } else if !standing.is_claimed() || layout::is_of_skeleton(&standing.rule) {
                let kind = if is_readable(standing) {
                    DiscrepancyKind::Foreign
                } else {
                    DiscrepancyKind::Unreadable
                };
                self.tell(None, &place, kind, standing.text());
            }
        }
        let mut in_order: Vec<Digest> = wanted;
        in_order.retain(|digest| seen.contains(digest));
        in_order.dedup();
        if ours != in_order {
            self.parts.extend(Part::chain(name));
            self.tell(
                None,
                &place,
                DiscrepancyKind::Order,
                "its rules stand in another order",
            );
        }
    }
}

/// The rules that palisade makes, for those who read of them.
struct Made<'p>(HashMap<Digest, &'p Rule>);

impl<'p> Made<'p> {
    fn of(program: &'p Program) -> Self {
        let rules = program.chains.iter().flat_map(|chain| &chain.rules);
        Self(rules.map(|rule| (digest(rule), rule)).collect())
    }

    /// What is recorded, as it would be printed.
    fn text(&self, installed: &Installed) -> String {
        let rule = installed.item.rule();
        let made = rule.and_then(|rule| self.0.get(&rule.digest));
        made.map_or_else(|| in_words(installed), |rule| format!("{rule:#}"))
    }
}

fn is_readable(standing: &Standing) -> bool {
    let is_other = |statement: &Statement| matches!(statement, Statement::Other(_));
    !statements(&standing.rule.expressions).iter().any(is_other)
}

/// `NFT_TABLE_F_DORMANT`.
const DORMANT: u32 = 1;

/// Whether a table's chains are switched off.
pub(super) fn is_dormant(table: &Table) -> bool {
    table.flags & DORMANT != 0
}

/// What is to be told of a table whose mark is not that of this build.
pub(super) fn otherwise_marked(version: Option<u32>) -> String {
    let ours = layout::VERSION;
    match version {
        None => "it has not palisade's mark".to_owned(),
        Some(version) if version < ours => format!(
            "an older build made it, with layout version {version}: `palisade repair` rebuilds it \
             with version {ours}"
        ),
        Some(version) => format!(
            "a later build made it, with layout version {version}: this build knows version {ours}"
        ),
    }
}
