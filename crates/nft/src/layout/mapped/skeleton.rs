//! What is installed once for all networks: chains, sets, and the rules that look packets up.

use palisade_core::rules::{
    AdminChain, Layer, Rule as CoreRule, RuleKind, Translation, UNTRANSLATED,
};

use super::super::admin;
use super::super::mark::SKELETON;
use super::super::skeleton::Skeleton;
use super::super::table_ref::{DSTNAT, FILTER, MANGLE, SRCNAT, TableRef, base};
use super::element;
use super::nat;
use super::set_id::SetId;
use super::set_kind::{
    BETWEEN, BLOCKED_FROM, BLOCKED_TO, FORGED, FORWARD, FROM_GUEST, GUEST_RECEIVES, GUEST_SENDS,
    GUEST_TO_GUEST, INPUT, POSTROUTING, PREROUTING, REDIRECT, REDIRECT_IN, REDIRECT_OUT, SetKind,
    TO_GUEST,
};
use super::sources;
use crate::object::{Chain, Comparison, Hook, Rule, Verdict};
use crate::statement::{self, End, Statement};

/// The chains that are there for every network, those that packets are sent to before those that send
/// them.
const OF_ALL: [(&str, &str); 8] = [
    (BETWEEN, "to a network, without nat"),
    (FROM_GUEST, "what a guest may send"),
    (TO_GUEST, "what a guest may get"),
    (GUEST_TO_GUEST, "from guest to guest"),
    (GUEST_SENDS, "from a guest"),
    (GUEST_RECEIVES, "from elsewhere to a guest"),
    (FORWARD, "forwarded packets"),
    (INPUT, "packets to the host"),
];

/// The chains that are there while a port is forwarded.
const OF_FORWARDS: [&str; 3] = [REDIRECT, REDIRECT_IN, REDIRECT_OUT];

/// The chains that are there while a guest is blocked.
const OF_BLOCKED: [(&str, Hook, &str); 2] = [
    (BLOCKED_FROM, Hook::PREROUTING, "what blocked guests send"),
    (
        BLOCKED_TO,
        Hook::POSTROUTING,
        "what blocked guests would receive",
    ),
];

/// Whether a chain of this name belongs to this layout.
pub(in crate::layout) fn has_chain(name: &str) -> bool {
    let is_of_all = OF_ALL.iter().any(|(chain, _)| *chain == name);
    is_of_all
        || OF_FORWARDS.contains(&name)
        || OF_BLOCKED.iter().any(|(chain, ..)| *chain == name)
        || [PREROUTING, FORGED, POSTROUTING].contains(&name)
        || nat::is_chain(name)
}

/// What is installed for these rules of networks.
pub(in crate::layout) fn skeleton(
    table: TableRef<'_>,
    rules: impl Iterator<Item = CoreRule>,
) -> Skeleton {
    let ids = |rule: CoreRule| element::of(&rule).map(|(id, _)| id).collect::<Vec<_>>();
    let mut sets: Vec<SetId> = rules.flat_map(ids).collect();
    sets.sort();
    sets.dedup();
    skeleton_of(table, &sets)
}

/// What is installed for these sets, which are in order.
pub(in crate::layout) fn skeleton_of(table: TableRef<'_>, sets: &[SetId]) -> Skeleton {
    // Sets are sorted by kind and translation first, so that equal ones are neighbours.
    let mut translations: Vec<Translation> = sets.iter().filter_map(|set| set.nat).collect();
    translations.dedup();
    Skeleton {
        chains: chains(table, sets, &translations),
        sets: sets.iter().map(|set| set.set(table)).collect(),
        rules: rules(table, sets, &translations),
    }
}

/// The chains, those that are jumped to before those that jump.
fn chains(table: TableRef<'_>, sets: &[SetId], translations: &[Translation]) -> Vec<Chain> {
    let of_all = |(name, comment)| {
        let hook = match name {
            FORWARD => Some(Hook::FORWARD),
            INPUT => Some(Hook::INPUT),
            _ => None,
        };
        let base = hook.map(|hook| base("filter", hook, FILTER));
        table.chain(name, base, comment)
    };
    let mut chains: Vec<Chain> = OF_ALL.into_iter().map(of_all).collect();
    if sets.iter().any(|set| set.kind == SetKind::BlockedOut) {
        chains.extend(OF_BLOCKED.map(|(name, hook, comment)| {
            table.chain(name, Some(base("filter", hook, MANGLE)), comment)
        }));
    }
    if looks_at_sources(sets) {
        chains.extend(sources::chains(table));
    }
    if forwards(sets) {
        chains.push(table.chain(REDIRECT, None, "ports of the host that lead to guests"));
        let bases = [
            (
                REDIRECT_IN,
                Hook::PREROUTING,
                "first packets of flows, coming in",
            ),
            (
                REDIRECT_OUT,
                Hook::OUTPUT,
                "first packets of flows, of the host",
            ),
        ];
        chains.extend(bases.map(|(name, hook, comment)| {
            table.chain(name, Some(base("nat", hook, DSTNAT)), comment)
        }));
    }
    // Without a network that translates, packets that leave are not looked up.
    let has_hairpin = sets.iter().any(|set| set.kind == SetKind::Hairpin);
    if has_hairpin || !translations.is_empty() {
        let comment = "guests leave with this source";
        let of_translation =
            |translation: &Translation| table.chain(&nat::chain(*translation), None, comment);
        chains.extend(translations.iter().map(of_translation));
        let postrouting = base("nat", Hook::POSTROUTING, SRCNAT);
        chains.push(table.chain(
            POSTROUTING,
            Some(postrouting),
            "first packets of flows, leaving",
        ));
    }
    chains
}

fn rules(table: TableRef<'_>, sets: &[SetId], translations: &[Translation]) -> Vec<Rule> {
    let of_translation = |translation: &Translation| nat::rules(table, *translation);
    let mut rules: Vec<Rule> = translations.iter().flat_map(of_translation).collect();
    // The sets of NAT are the last ones.
    let (others, translated) = sets.split_at(sets.partition_point(|set| set.nat.is_none()));
    if forwards(sets) {
        rules.extend(to_forwards(table));
    }
    rules.extend(to_administrator(table));
    if looks_at_sources(sets) {
        rules.extend(sources::rules(table));
    }
    rules.extend(others.iter().flat_map(|set| set.rules(table)));
    rules.extend(to_networks(table));
    if !translated.is_empty() {
        rules.extend(exceptions(table));
    }
    rules.extend(translated.iter().flat_map(|set| set.rules(table)));
    rules
}

/// Whether a port is forwarded.
fn forwards(sets: &[SetId]) -> bool {
    sets.iter().any(|set| set.row().redirects())
}

/// Packets that come in and those of the host are looked up alike.
fn to_forwards(table: TableRef<'_>) -> impl Iterator<Item = Rule> {
    [REDIRECT_IN, REDIRECT_OUT].into_iter().map(move |chain| {
        let jump = Verdict::Jump(REDIRECT.to_owned());
        let comment = format!("{SKELETON}ports that lead to guests");
        table.rule(chain, &[Statement::Verdict(jump)], &comment)
    })
}

/// The administrator decides before palisade does.
fn to_administrator(table: TableRef<'_>) -> impl Iterator<Item = Rule> {
    [
        (GUEST_TO_GUEST, AdminChain::ToGuest, RuleKind::AdminToGuest),
        (GUEST_SENDS, AdminChain::FromGuest, RuleKind::AdminFromGuest),
        (GUEST_RECEIVES, AdminChain::ToGuest, RuleKind::AdminToGuest),
    ]
    .into_iter()
    .map(move |(chain, place, kind)| {
        let jump = Verdict::Jump(admin::name(place).to_owned());
        let comment = format!("{SKELETON}{kind}");
        table.rule(chain, &[Statement::Verdict(jump)], &comment)
    })
}

/// What no rule decided on that is about both networks, or about any packet of one: each network decides
/// for itself.
fn to_networks(table: TableRef<'_>) -> impl Iterator<Item = Rule> {
    let (sender, receiver) = ("the sender's network", "the receiver's network");
    let jump = |chain: &str| Verdict::Jump(chain.to_owned());
    let goto = |chain: &str| Verdict::Goto(chain.to_owned());
    [
        (GUEST_TO_GUEST, jump(FROM_GUEST), sender),
        (GUEST_TO_GUEST, goto(TO_GUEST), receiver),
        (GUEST_SENDS, goto(FROM_GUEST), sender),
        (GUEST_RECEIVES, goto(TO_GUEST), receiver),
    ]
    .into_iter()
    .map(move |(chain, verdict, comment)| {
        let comment = format!("{SKELETON}{comment}");
        table.rule(chain, &[Statement::Verdict(verdict)], &comment)
    })
}

/// Whether the sources of some network's guests are looked at: not where the kernel cannot.
fn looks_at_sources(sets: &[SetId]) -> bool {
    sets.iter().any(|set| set.kind == SetKind::Spoofed)
}

/// What is never translated, however networks translate. It is above the look-ups by which a
/// translation is found, since those count connections; and below those of what stays within a
/// subnet, since connections to guests are more than broadcasts.
fn exceptions(table: TableRef<'_>) -> impl Iterator<Item = Rule> {
    let layer = Layer::from(table.family);
    let here = UNTRANSLATED.into_iter().rev();
    let here = here.filter(move |(kind, _)| kind.layers().contains(&layer));
    here.map(move |(kind, destination)| {
        let net = destination.net(table.family);
        let destination = statement::address(End::Destination, Comparison::Equal, net);
        let statements = [destination, Statement::Verdict(Verdict::Return)];
        table.rule(POSTROUTING, &statements, &format!("{SKELETON}{kind}"))
    })
}
