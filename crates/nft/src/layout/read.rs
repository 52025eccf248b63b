//! What rules and elements in a table of palisade's stand for.

use std::fmt;

use ipnet::IpNet;
use palisade_core::network::{Family, Name};
use palisade_core::rules::{self, Matches, Rule as CoreRule, RuleKind};

use super::admin::is_administrators;
use super::flat;
use super::mapped::{self, SetId};
use super::mark::SKELETON;
use super::names::TableName;
use super::omission::omission;
use super::table_ref::TableRef;
use crate::object::{ElementRef, Rule};
use crate::statement::concatenation;

/// The rule of a network that a rule in a table of ours stands for, if it is exactly one that
/// `flat` makes.
#[must_use]
pub(crate) fn read_rule(table: &TableName, family: Family, rule: &Rule) -> Option<CoreRule> {
    flat::read(TableRef { table, family }, rule)
}

/// The rules of a network that an element of a set in a table of ours stands for, if it is one
/// that `mapped` makes. Some elements only stand beside others, and stand for none.
#[must_use]
pub(crate) fn read_element(
    family: Family,
    set: SetId,
    element: ElementRef<'_>,
) -> Option<Vec<CoreRule>> {
    mapped::read(family, set, element)
}

/// The subnet within which packets keep their source, if an element of a set with this key says
/// that.
#[must_use]
pub(crate) fn exemption(family: Family, set: SetId, key: &[u8]) -> Option<IpNet> {
    mapped::exemption(family, set, key)
}

/// What the key of an element of the set of this name matches; none if it is no set of palisade's.
#[must_use]
pub(crate) fn key_matches(family: Family, set: &str, key: &[u8]) -> Option<Matches> {
    mapped::matches(family, SetId::from_name(set)?, key)
}

/// A key of the set of this name in nft syntax, as far as the set is one of palisade's.
#[must_use]
pub fn key_text<'a>(family: Family, set: &str, key: &'a [u8]) -> impl fmt::Display + use<'a> {
    let key_type = SetId::from_name(set).map(|set| set.key_type(family));
    concatenation(key_type.unwrap_or_default(), key)
}

/// The network and the kind that the comment of a rule in `flat` names.
#[must_use]
pub(crate) fn untag(comment: &str) -> Option<(Name, RuleKind)> {
    let (owner, mut kinds) = rules::untag(comment)?;
    Some((owner, kinds.find(|kind| omission(*kind).is_none())?))
}

/// The kind of the networks' rules that a rule of a layout's skeleton stands for, if it does.
#[must_use]
pub(crate) fn kind_of_skeleton(comment: &str) -> Option<RuleKind> {
    let words = comment.strip_prefix(SKELETON)?;
    let (word, _) = words.split_once(", ").unwrap_or((words, ""));
    RuleKind::named(word).next()
}

/// Whether a rule's comment says that it belongs to a layout's skeleton.
#[must_use]
pub(crate) fn is_of_skeleton(rule: &Rule) -> bool {
    let comment = rule.userdata.text();
    // A network may be named like the beginning: what is in its chains in `flat` is a network's.
    comment.is_some_and(|comment| comment.starts_with(SKELETON))
        && !flat::is_of_networks(&rule.chain)
        && !is_administrators(&rule.chain)
}

/// The network whose rule in `flat` this is, and the rule's kind, as its comment says.
#[must_use]
pub(crate) fn tag_of_rule(rule: &Rule) -> Option<(Name, RuleKind)> {
    let is_of_network = !is_of_skeleton(rule) && !is_administrators(&rule.chain);
    let comment = rule.userdata.text().filter(|_| is_of_network);
    comment.and_then(untag)
}
