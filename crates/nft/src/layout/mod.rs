//! Where rules live in nf_tables: which tables, chains and sets, and what a network is in them.
//!
//! A layout says two things. Its [`Skeleton`] is what stands once for all networks: chains, sets,
//! and the rules that lead to networks. Its [`Item`]s are what one network adds: rules in `flat`,
//! elements of sets in `mapped`. Both are made from the same [rules](palisade_core::rules), so
//! that they mean the same, and both can stand in one table, since no chain of one has the name of
//! a chain of the other.

mod flat;
mod mapped;
mod names;

use std::fmt;
use std::str::FromStr;

use palisade_core::network::{Family, Name, Network};
use palisade_core::rules::{self, Guard, Role, Rule as CoreRule, RuleKind};
use thiserror::Error;

use crate::object::{self, Chain, DataType, Element, ElementRef, Rule, Set, Table, Userdata};
use crate::statement::interface_name;

pub use mapped::{Kind, Shape};
pub use names::{KEYWORDS, OF_IPTABLES, TableName, TableNameError};

/// The version of what the layouts below put into a table. It goes up with every change of a
/// name, a rule or a set, so that a later build knows what it meets.
pub const VERSION: u32 = 3;

/// How rules are laid out in tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Layout {
    /// A fixed handful of rules, and elements of sets for each network.
    #[default]
    Mapped,
    /// libvirt's chains and rules, one for one.
    Flat,
}

/// What a layout puts into a table once, whatever networks there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Skeleton {
    /// Chains, in the order in which they are made.
    pub chains: Vec<Chain>,
    /// Sets, in the order in which they are made.
    pub sets: Vec<Set>,
    /// Rules, in the order in which packets meet them in their chains.
    pub rules: Vec<Rule>,
}

/// What a layout adds for one network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A rule, at the head of its chain.
    Rule(Rule),
    /// An element of a set.
    Element {
        /// The set.
        set: String,
        /// The element.
        element: Element,
    },
}

/// Why rules of a kind are not installed in nf_tables, if they are not.
#[must_use]
pub fn omission(kind: RuleKind) -> Option<&'static str> {
    match kind.role() {
        Role::HostInput | Role::HostOutput => Some(
            "an accept in one table cannot override a drop in another, so it would change nothing",
        ),
        Role::Mangle => Some("nftables has no counterpart of iptables' CHECKSUM"),
        Role::GuestCross | Role::GuestInput | Role::GuestOutput | Role::GuestNat => None,
    }
}

impl Layout {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mapped, Self::Flat];

    /// The name, as the command line has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mapped => "mapped",
            Self::Flat => "flat",
        }
    }

    /// For which networks the layout rules IPv6.
    #[must_use]
    pub fn guard(self) -> Guard {
        match self {
            Self::Mapped => Guard::EveryBridge,
            Self::Flat => Guard::AsDefined,
        }
    }

    /// What must stand for these networks; none if they need nothing in this family.
    #[must_use]
    pub fn skeleton<'a>(
        self,
        table: &TableName,
        family: Family,
        networks: impl IntoIterator<Item = &'a Network>,
    ) -> Option<Skeleton> {
        let place = Place { table, family };
        let mut rules = networks
            .into_iter()
            .flat_map(|network| self.rules(family, network))
            .peekable();
        rules.peek()?;
        Some(match self {
            Self::Mapped => mapped::skeleton(place, rules),
            Self::Flat => flat::skeleton(place),
        })
    }

    /// What must stand for the sets that a table has.
    #[must_use]
    pub fn skeleton_for(self, table: &TableName, family: Family, shapes: &[Shape]) -> Skeleton {
        let place = Place { table, family };
        match self {
            Self::Mapped => mapped::skeleton_of(place, shapes),
            Self::Flat => flat::skeleton(place),
        }
    }

    /// Whether a chain of this name belongs to this layout.
    #[must_use]
    pub fn has_chain(self, name: &str) -> bool {
        match self {
            Self::Mapped => mapped::has_chain(name),
            Self::Flat => flat::has_chain(name),
        }
    }

    /// Whether a set of this name belongs to this layout.
    #[must_use]
    pub fn has_set(self, name: &str) -> bool {
        self == Self::Mapped && Shape::from_name(name).is_some()
    }

    /// What this network adds, in the order in which it is added.
    #[must_use]
    pub fn items(self, table: &TableName, family: Family, network: &Network) -> Vec<Item> {
        self.items_of(table, family, &self.issued(network))
    }

    /// What a network adds whose rules these are, of both families ([`issued`](Self::issued)).
    #[must_use]
    pub fn items_of(self, table: &TableName, family: Family, rules: &[CoreRule]) -> Vec<Item> {
        let place = Place { table, family };
        let rules = rules.iter().filter(|rule| rule.layer == family.into());
        match self {
            Self::Mapped => rules.flat_map(mapped::items).collect(),
            Self::Flat => rules
                .map(|rule| Item::Rule(flat::rule(place, rule)))
                .collect(),
        }
    }

    /// The rules of a network that this layout has a place for, in the order of issue.
    #[must_use]
    pub fn issued(self, network: &Network) -> Vec<CoreRule> {
        let mut rules = rules::rules(network, self.guard());
        rules.retain(|rule| omission(rule.kind).is_none());
        rules
    }

    fn rules(self, family: Family, network: &Network) -> impl Iterator<Item = CoreRule> + use<> {
        let issued = self.issued(network).into_iter();
        issued.filter(move |rule| rule.layer == family.into())
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Not the name of a layout.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no layout: there are `mapped` and `flat`")]
pub struct UnknownLayout(pub String);

impl FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(text: &str) -> Result<Self, UnknownLayout> {
        match text {
            "mapped" => Ok(Self::Mapped),
            "flat" => Ok(Self::Flat),
            other => Err(UnknownLayout(other.to_owned())),
        }
    }
}

/// The set in each of our tables that holds the marker of the last batch that changed it: the name
/// of its transaction. Whether a batch landed is seen from it.
#[must_use]
pub fn transaction_set(table: &TableName, family: Family) -> Set {
    let key_type = DataType::IFNAME; // Fifteen characters that `nft` can show.
    Set {
        family: family.into(),
        table: table.to_string(),
        name: TRANSACTION.to_owned(),
        id: None,
        flags: 0,
        key_type,
        key_len: 16,
        data: None,
        expressions: Vec::new(),
        userdata: Userdata::of_set(Some(true), "the last transaction"),
        handle: None,
        extra: Vec::new(),
    }
}

/// The name of that set.
pub const TRANSACTION: &str = "transaction";

/// The marker of a transaction.
#[must_use]
pub fn marker(transaction: &str) -> Element {
    Element::of_key(interface_name(transaction))
}

/// Whether a key in that set is the marker of a transaction of ours.
#[must_use]
pub fn is_marker(key: &[u8]) -> bool {
    let end = key.iter().position(|&byte| byte == 0).unwrap_or(key.len());
    let (name, rest) = key.split_at(end);
    let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.len() == 15 && name.iter().all(is_hex) && rest.iter().all(|&byte| byte == 0)
}

/// The rule of a network that a rule in a table of ours stands for, if it is exactly one that
/// `flat` makes.
#[must_use]
pub fn read_rule(table: &TableName, family: Family, rule: &Rule) -> Option<CoreRule> {
    flat::read(Place { table, family }, rule)
}

/// The rules of a network that an element of a set in a table of ours stands for, if it is one
/// that `mapped` makes. Some elements only stand beside others, and stand for none.
#[must_use]
pub fn read_element(
    family: Family,
    shape: &Shape,
    element: ElementRef<'_>,
) -> Option<Vec<CoreRule>> {
    mapped::read(family, shape, element)
}

/// The network and the kind that the comment of a rule in `flat` names.
#[must_use]
pub fn untag(comment: &str) -> Option<(Name, RuleKind)> {
    let (owner, mut kinds) = rules::untag(comment)?;
    Some((owner, kinds.find(|kind| omission(*kind).is_none())?))
}

/// What a rule of a layout's skeleton is for, where it does what networks ask for.
#[must_use]
pub fn purpose_of_skeleton(comment: &str) -> Option<RuleKind> {
    let words = comment.strip_prefix(SKELETON)?;
    let (word, _) = words.split_once(", ").unwrap_or((words, ""));
    RuleKind::named(word).next()
}

/// Whether a rule's comment says that it belongs to a layout's skeleton.
#[must_use]
pub fn is_of_skeleton(rule: &Rule) -> bool {
    let comment = rule.userdata.text();
    // A network may be named like the beginning: what is in its chains in `flat` is a network's.
    comment.is_some_and(|comment| comment.starts_with(SKELETON))
        && flat::role(&rule.chain).is_none()
}

/// The network whose rule in `flat` this is, as its comment says.
#[must_use]
pub fn owner_of_rule(rule: &Rule) -> Option<Name> {
    let is_of_network = !is_of_skeleton(rule);
    let comment = rule.userdata.text().filter(|_| is_of_network);
    comment.and_then(untag).map(|(owner, _)| owner)
}

/// How the comments of rules begin that stand for no network alone.
const SKELETON: &str = "palisade: ";

/// Our table of a family, with the mark that says whose it is and which version of the layouts
/// it holds. The mark is a comment, so that `nft` shows it, and keeps it when it saves and loads.
#[must_use]
pub fn table(name: &TableName, family: Family) -> Table {
    Table {
        family: family.into(),
        name: name.to_string(),
        flags: 0,
        userdata: Userdata::comment(&format!("{MARK}{VERSION}")),
        handle: None,
        extra: Vec::new(),
    }
}

const MARK: &str = "made by palisade, layout version ";

/// The version of the layouts in a table of ours; none if the table is somebody else's.
#[must_use]
pub fn version(table: &Table) -> Option<u32> {
    table.userdata.text()?.strip_prefix(MARK)?.parse().ok()
}

/// A table of a family: where a layout puts things.
#[derive(Clone, Copy)]
struct Place<'a> {
    table: &'a TableName,
    family: Family,
}

impl Place<'_> {
    fn family(self) -> object::Family {
        self.family.into()
    }

    fn chain(self, name: &str, base: Option<object::BaseChain>, comment: &str) -> Chain {
        Chain {
            family: self.family(),
            table: self.table.to_string(),
            name: name.to_owned(),
            base,
            flags: 0,
            userdata: Userdata::comment(comment),
            handle: None,
            extra: Vec::new(),
        }
    }

    fn rule(self, chain: &str, statements: &[crate::statement::Statement], comment: &str) -> Rule {
        Rule {
            family: self.family(),
            table: self.table.to_string(),
            chain: chain.to_owned(),
            expressions: crate::statement::expressions(statements),
            userdata: Userdata::comment(comment),
            handle: None,
            position: None,
            extra: Vec::new(),
        }
    }
}

/// A base chain that lets pass what no rule of ours decides on.
fn base(kind: &str, hook: object::Hook, priority: i32) -> object::BaseChain {
    object::BaseChain {
        kind: kind.to_owned(),
        hook,
        priority,
        policy: object::Policy::ACCEPT,
        hook_extra: Vec::new(),
    }
}

/// The limited broadcast address.
const BROADCAST: ipnet::IpNet = ipnet::IpNet::V4(ipnet::Ipv4Net::new_assert(
    std::net::Ipv4Addr::BROADCAST,
    32,
));
/// `filter`, the priority of filter chains.
const FILTER: i32 = 0;
/// `srcnat`, the priority at which sources are translated: after connection tracking.
const SRCNAT: i32 = 100;
