//! Well-formed XML that does not describe a network.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use palisade_core::network::{Family, InterfaceName};
use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

use crate::vocabulary::{NAMESPACE, Place};

/// Elements and attributes that do not describe a network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ElementFault {
    /// The text describes something else.
    #[error("the text describes a `<{name}>`, not a `<network>`")]
    Root {
        /// The element at the top.
        name: String,
    },
    /// `<network>` is in a namespace, so that it is not libvirt's.
    #[error("`<network>` is in the namespace `{namespace}`, libvirt's is in none")]
    Namespace {
        /// The namespace.
        namespace: String,
    },
    /// A misspelled element.
    #[error("element `<{found}>` is unknown")]
    MisspelledElement {
        /// The text found.
        found: String,
        /// The word that was probably meant.
        meant: &'static str,
    },
    /// A misspelled attribute.
    #[error("attribute `{found}` is unknown")]
    MisspelledAttribute {
        /// The text found.
        found: String,
        /// The word that was probably meant.
        meant: &'static str,
    },
    /// An element or attribute that is known, but at another place.
    #[error("{} {} in `<{parent}>`", .kind.shown(.found), .kind.problem())]
    Misplaced {
        /// Whether it is an element or an attribute.
        kind: WordKind,
        /// The text found.
        found: String,
        /// The element that it is in.
        parent: &'static str,
        /// The places where it is known, the likeliest first.
        places: Vec<Place>,
        /// How XML writes the field of TOML and JSON of that name.
        field: Option<&'static str>,
    },
    /// One of palisade's elements outside of `<metadata>`.
    #[error("`<{found}>` has no place here")]
    OwnOutside {
        /// The element.
        found: String,
    },
    /// One of palisade's elements, or its prefix, in a namespace that is not palisade's.
    #[error("the namespace `{namespace}` is not palisade's")]
    OwnNamespace {
        /// The namespace.
        namespace: String,
    },
    /// One of palisade's elements without a namespace.
    #[error("`<{found}>` in `<metadata>` is in no namespace")]
    NoOwnNamespace {
        /// The element.
        found: String,
    },
    /// An element or attribute that palisade's namespace does not have.
    #[error("{found} is unknown")]
    OwnUnknown {
        /// The element or attribute.
        found: String,
        /// Those that are known there.
        known: String,
    },
    /// A second element of palisade's that may occur once.
    #[error("`<{parent}>` holds a second `<{element}>`")]
    OwnTwice {
        /// The element that contains it.
        parent: String,
        /// The element.
        element: String,
    },
    /// A second element of a kind that may occur once.
    #[error("`<{parent}>` holds a second `<{element}>`")]
    Repeated {
        /// The element that contains it.
        parent: String,
        /// The element.
        element: &'static str,
    },
    /// Text between elements.
    #[error("text stands in `<{element}>`, which holds none")]
    Text {
        /// The element that holds it.
        element: String,
    },
    /// An element within the name.
    #[error("an element stands in `<name>`, which holds text only")]
    InText,
    /// An element is missing.
    #[error("`<{parent}>` has no `<{element}>`")]
    NoElement {
        /// The element that must have it.
        parent: &'static str,
        /// The missing element.
        element: &'static str,
    },
    /// An attribute is missing.
    #[error("`<{element}>` has no `{attribute}`")]
    NoAttribute {
        /// The element that must have it.
        element: String,
        /// The missing attribute.
        attribute: &'static str,
    },
    /// An attribute that is neither yes nor no.
    #[error("`{attribute}` is neither yes nor no but `{value}`")]
    YesNo {
        /// The attribute.
        attribute: &'static str,
        /// Its value.
        value: String,
    },
    /// Several devices in a mode that forwards through one.
    #[error("`<forward>` names more than one `<interface>`")]
    ManyDevices,
    /// The attribute and the element disagree.
    #[error("`<forward>` names device `{attribute}`, its `<interface>` names `{element}`")]
    TwoDevices {
        /// The device of the attribute.
        attribute: InterfaceName,
        /// The device of the element.
        element: InterfaceName,
    },
    /// An unknown address family.
    #[error("`{family}` is not a family")]
    Family {
        /// The text found.
        family: String,
    },
    /// An address of the other family.
    #[error("`{address}` is not of family {family}")]
    NotOfFamily {
        /// The address.
        address: String,
        /// The family that the element has, or the default.
        family: Family,
        /// Whether the element has the family as an attribute.
        written: bool,
    },
    /// Both a prefix and a netmask.
    #[error("both prefix and netmask are given")]
    PrefixAndNetmask,
    /// A prefix that is not a length.
    #[error("`{prefix}` is not a prefix length")]
    Prefix {
        /// The text found.
        prefix: String,
    },
    /// A netmask that is not an address, or not ones followed by zeros.
    #[error("`{netmask}` is not a netmask")]
    Netmask {
        /// The text found.
        netmask: String,
    },
    /// A netmask for IPv6.
    #[error("IPv6 has no netmask")]
    NetmaskOfIpv6,
    /// An address without a prefix, in a class that has none.
    #[error("{address} is in none of the classes A to C and has no prefix")]
    NoClass {
        /// The address.
        address: Ipv4Addr,
    },
    /// TFTP over IPv6.
    #[error("`<tftp>` stands in an `<ip>` of family ipv6")]
    TftpOfIpv6,
}

impl Hint for ElementFault {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Definition
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Root { name } if name == "networkstatus" => {
                "this is libvirt's own state; take what `virsh net-dumpxml NAME` prints".into()
            }
            Self::Root { name } if name == "domain" => {
                "this describes a guest; networks are printed by `virsh net-dumpxml NAME`".into()
            }
            Self::Root { .. } => "give a network as `virsh net-dumpxml NAME` prints it".into(),
            Self::Namespace { .. } => "remove `xmlns`".into(),
            Self::MisspelledElement { meant, .. } => format!("did you mean `<{meant}>`?").into(),
            Self::MisspelledAttribute { meant, .. } => format!("did you mean `{meant}`?").into(),
            Self::Misplaced {
                found,
                places,
                field,
                ..
            } => belonging(found, places, *field).into(),
            Self::OwnOutside { .. } => "move it into `<metadata>`".into(),
            Self::OwnNamespace { .. } => {
                format!("this version reads xmlns:palisade='{NAMESPACE}'").into()
            }
            Self::NoOwnNamespace { .. } => {
                format!("write `<palisade:... xmlns:palisade='{NAMESPACE}'/>`").into()
            }
            Self::OwnUnknown { known, .. } if known.is_empty() => "leave it out".into(),
            Self::OwnUnknown { known, .. } => format!("known are {known}").into(),
            Self::Repeated { .. } | Self::OwnTwice { .. } => "keep one of them".into(),
            Self::Text { .. } => "remove it, or make it a comment: `<!-- ... -->`".into(),
            Self::InText => "write `<name>NAME</name>`".into(),
            Self::NoElement { element, .. } => format!("add `<{element}>...</{element}>`").into(),
            Self::NoAttribute { attribute, .. } => example(attribute).into(),
            Self::YesNo { .. } => "write yes or no; no is the default".into(),
            Self::ManyDevices => "keep one: traffic is forwarded through one device, or any".into(),
            Self::TwoDevices { .. } => "leave one of them out, or name the same device".into(),
            Self::Family { .. } => "write ipv4 or ipv6; ipv4 is the default".into(),
            Self::NotOfFamily {
                family: Family::Ipv4,
                written: false,
                ..
            } => "add family='ipv6': without a family, addresses are IPv4".into(),
            Self::NotOfFamily { .. } => "let address and family agree".into(),
            Self::PrefixAndNetmask => "keep one of them".into(),
            Self::Prefix { .. } => "write the number of bits, such as prefix='24'".into(),
            Self::Netmask { .. } => {
                "netmasks are ones and then zeros, as in 255.255.255.0; or write prefix='24'".into()
            }
            Self::NetmaskOfIpv6 => "write the number of bits, such as prefix='64'".into(),
            Self::NoClass { .. } => "add the prefix, such as prefix='24'".into(),
            Self::TftpOfIpv6 => "move it to an `<ip>` of family ipv4".into(),
        }
    }
}

/// Whether a word of XML is an element or an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordKind {
    /// An element.
    Element,
    /// An attribute.
    Attribute,
}

impl WordKind {
    fn shown(self, word: &str) -> String {
        match self {
            Self::Element => format!("`<{word}>`"),
            Self::Attribute => format!("attribute `{word}`"),
        }
    }

    fn problem(self) -> &'static str {
        match self {
            Self::Element => "has no place",
            Self::Attribute => "has no meaning",
        }
    }
}

/// How many places a hint names.
const MAX_NAMED: usize = 3;

fn belonging(found: &str, places: &[Place], field: Option<&str>) -> String {
    let places: Vec<String> = places
        .iter()
        .take(MAX_NAMED)
        .map(Place::to_string)
        .collect();
    match (places.as_slice(), field) {
        ([], Some(xml)) => format!("`{found}` is a field of TOML and JSON; XML writes {xml}"),
        _ => format!("it belongs to {}", places.join(", or ")),
    }
}

/// How to write a missing attribute.
fn example(attribute: &str) -> &'static str {
    match attribute {
        "address" => "add the host's address on the bridge, such as address='192.168.122.1'",
        "dev" => "add the device, such as dev='eth0'",
        "start" | "end" => "a range needs both start and end, which may be equal",
        _ => "add it",
    }
}
