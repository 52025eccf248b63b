//! The fields of TOML and JSON: which tables there are, and which fields they have.

/// The fields of a network, and how libvirt's XML writes the same.
const FIELDS_IN_XML: [(&str, &str); 18] = [
    ("name", "`<name>` in `<network>`"),
    ("bridge", "`<bridge name=''>`"),
    ("zone", "`<bridge zone=''>`"),
    ("mtu", "`<mtu size=''>` in `<network>`"),
    ("mode", "`<forward mode=''>`"),
    ("device", "`<forward dev=''>`"),
    ("subnets", "`<ip address='' prefix=''>` in `<network>`"),
    (
        "ports",
        "`<port start='' end=''>` in `<nat>` in `<forward>`",
    ),
    (
        "addresses",
        "`<address start='' end=''>` in `<nat>` in `<forward>`",
    ),
    ("nat_ipv6", "`<nat ipv6='yes'>` in `<forward>`"),
    (
        "nat_between_networks",
        "`<palisade:nat_between_networks enabled='no'>` in `<metadata>`",
    ),
    ("ipv6", "`<network ipv6='yes'>`"),
    ("dhcp", "`<dhcp>` in `<ip>`"),
    ("tftp", "`<tftp root=''>` in `<ip>`"),
    ("isolated_ports", "`<port isolated='yes'>` in `<network>`"),
    ("mss_clamp", "`<palisade:mss_clamp>` in `<metadata>`"),
    ("forwards", "`<palisade:forward>` in `<metadata>`"),
    ("log", "`<palisade:log>` in `<metadata>`"),
];

/// The fields of a network.
pub(crate) const FIELDS: [&str; FIELDS_IN_XML.len()] = {
    let mut names = [""; FIELDS_IN_XML.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = FIELDS_IN_XML[i].0;
        i += 1;
    }
    names
};

/// The field that holds several networks.
pub(crate) const LIST: &str = "network";

/// How libvirt's XML writes a field of a network.
pub(crate) fn field_in_xml(field: &str) -> Option<&'static str> {
    let mut all = FIELDS_IN_XML.iter();
    all.find(|(name, _)| *name == field).map(|(_, xml)| *xml)
}

/// The tables of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// A list of networks.
    Definition,
    /// A network.
    Network,
    /// A port forward.
    Forward,
    /// The logging of refused packets.
    Log,
    /// A range of ports or addresses.
    Range,
}

impl TableKind {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [
        Self::Definition,
        Self::Network,
        Self::Forward,
        Self::Log,
        Self::Range,
    ];

    /// The table's fields.
    pub(crate) fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Definition => &[LIST],
            Self::Network => &FIELDS,
            Self::Forward => &["protocol", "listen", "to", "from"],
            Self::Log => &["prefix", "rate", "group"],
            Self::Range => &["start", "end"],
        }
    }

    /// Where the table is written, for one of its fields that is somewhere else.
    pub(crate) fn place(self) -> &'static str {
        match self {
            Self::Definition => "networks are listed side by side, not within one another",
            Self::Network => "it belongs to a network; of several, move it into one of the list",
            Self::Forward => {
                "it belongs to a forward: forwards = [{ protocol = \"tcp\", listen = 8080, to = \
                 \"192.168.122.10:80\" }]"
            }
            Self::Log => {
                "it belongs to the field `log`: log = { rate = \"10/second\", prefix = \"lab: \" }"
            }
            Self::Range => {
                "it belongs to a range: ports = { start = 1024, end = 65535 }, or `addresses`"
            }
        }
    }
}
