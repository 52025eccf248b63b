//! What is recorded of networks that a repair of others leaves as they are, broken or not.

use std::collections::HashSet;

use palisade_core::backend::Installed;
use palisade_core::identity::{Identity, Key, RuleIdentity};
use palisade_core::state::Record;

use super::area::Area;
use super::observed::Observed;
use crate::identity::{comment, digest};
use crate::object::{Element, ElementRef, Rule};
use crate::program::{FilledSet, Program};

/// The recorded items of networks that are not repaired, in one table.
pub(super) struct Spared<'r>(HashSet<(&'r str, &'r Identity)>);

impl<'r> Spared<'r> {
    pub(super) fn of(area: &Area<'_>, records: &[&'r Record]) -> Self {
        let installed = records.iter().flat_map(|record| &record.installed);
        let is_here = |it: &&Installed| it.family == area.family && it.table == area.table.as_str();
        let items = installed.filter(is_here);
        Self(items.map(|it| (it.place.as_str(), &it.item)).collect())
    }

    /// Makes these items in a table that is rebuilt what they are in the installed one: missing, changed or as they are
    /// recorded.
    pub(super) fn leave(&self, new: &mut Program, observed: Option<&Observed>) {
        if self.0.is_empty() {
            return;
        }
        for filled in &mut new.chains {
            let all = std::mem::take(&mut filled.rules);
            let made: HashSet<_> = all.iter().map(digest).collect();
            for rule in all {
                if self.has_rule(&rule) && observed.is_none_or(|it| it.same_as(&rule).is_none()) {
                    let standing = observed.map_or(&[][..], |it| it.rules(&rule.chain)).iter();
                    let mut changed = standing.filter(|standing| {
                        comment(&standing.rule) == comment(&rule)
                            && !made.contains(&standing.digest())
                    });
                    filled.rules.extend(changed.next().map(|standing| Rule {
                        expressions: standing.rule.expressions.clone(),
                        ..rule
                    }));
                } else {
                    filled.rules.push(rule);
                }
            }
        }
        for FilledSet { set, elements } in &mut new.sets {
            let found = observed.and_then(|it| it.program.set(&set.name));
            let found = found.map_or(&[][..], |found| &found.elements);
            let all = std::mem::take(elements);
            elements.extend(all.into_iter().filter_map(|element| {
                if !self.has_element(&set.name, &element) {
                    return Some(element);
                }
                let mut found = found.iter();
                found.find(|found| found.key == element.key).cloned()
            }));
        }
    }

    fn has_rule(&self, rule: &Rule) -> bool {
        let identity = Identity::Rule(RuleIdentity {
            comment: comment(rule).to_owned(),
            digest: digest(rule),
        });
        self.0.contains(&(rule.chain.as_str(), &identity))
    }

    fn has_element(&self, set: &str, element: &Element) -> bool {
        let identity = Identity::Element(Key(ElementRef::from(element).identity().collect()));
        self.0.contains(&(set, &identity))
    }
}
