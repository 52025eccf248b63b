//! libvirt's network XML: which elements and attributes there are, and where.

/// An element of libvirt's network XML at its place.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: &'static str,
    /// Attributes that concern the firewall.
    pub(crate) read: &'static [&'static str],
    /// Known attributes that do not.
    pub(crate) ignored: &'static [&'static str],
    pub(crate) elements: &'static [Element],
    /// Whether the element concerns the firewall.
    pub(crate) is_read: bool,
    pub(crate) content: Content,
}

/// What an element may hold beside the elements of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Nothing.
    Elements,
    /// Text.
    Text,
    /// Anything of any program.
    Foreign,
}

impl Element {
    /// An element that concerns the firewall.
    const fn read(
        name: &'static str,
        read: &'static [&'static str],
        ignored: &'static [&'static str],
        elements: &'static [Self],
    ) -> Self {
        Self {
            name,
            read,
            ignored,
            elements,
            is_read: true,
            content: Content::Elements,
        }
    }

    /// An element that does not.
    const fn ignored(
        name: &'static str,
        ignored: &'static [&'static str],
        elements: &'static [Self],
    ) -> Self {
        Self {
            is_read: false,
            ..Self::read(name, &[], ignored, elements)
        }
    }

    /// The same, with text or anything in it.
    const fn holding(self, content: Content) -> Self {
        Self { content, ..self }
    }

    /// The known element of that name in this one.
    pub(crate) fn element(&self, name: &str) -> Option<&'static Self> {
        self.elements.iter().find(|element| element.name == name)
    }

    /// Whether the element may have that attribute.
    pub(crate) fn has_attribute(&self, name: &str) -> bool {
        self.read.contains(&name) || self.ignored.contains(&name)
    }
}

const ENDS: &[&str] = &["start", "end"];

const LEASE: &[Element] = &[Element::ignored("lease", &["expiry", "unit"], &[])];

const TRAFFIC: &[&str] = &["average", "peak", "burst", "floor"];

const BANDWIDTH: Element = Element::ignored(
    "bandwidth",
    &["classID"],
    &[
        Element::ignored("inbound", TRAFFIC, &[]),
        Element::ignored("outbound", TRAFFIC, &[]),
    ],
);

const VIRTUALPORT: Element = Element::ignored(
    "virtualport",
    &["type"],
    &[Element::ignored(
        "parameters",
        &[
            "managerid",
            "typeid",
            "typeidversion",
            "instanceid",
            "profileid",
            "interfaceid",
        ],
        &[],
    )],
);

const VLAN: Element = Element::ignored(
    "vlan",
    &["trunk"],
    &[Element::ignored("tag", &["id", "nativeMode"], &[])],
);

const FORWARD: Element = Element::read(
    "forward",
    &["mode", "dev"],
    &["managed"],
    &[
        Element::read(
            "nat",
            &["ipv6"],
            &[],
            &[
                Element::read("address", ENDS, &[], &[]),
                Element::read("port", ENDS, &[], &[]),
            ],
        ),
        Element::read("interface", &["dev"], &["connections"], &[]),
        // These belong to modes that give each guest its own device.
        Element::ignored("pf", &["dev"], &[]),
        Element::ignored(
            "address",
            &["type", "domain", "bus", "slot", "function", "connections"],
            &[],
        ),
        Element::ignored("driver", &["name", "model"], &[]),
    ],
);

const IP: Element = Element::read(
    "ip",
    &["address", "family", "netmask", "prefix"],
    &["localPtr"],
    &[
        Element::read(
            "dhcp",
            &[],
            &[],
            &[
                Element {
                    is_read: true,
                    ..Element::ignored("range", ENDS, LEASE)
                },
                Element {
                    is_read: true,
                    ..Element::ignored("host", &["mac", "id", "name", "ip"], LEASE)
                },
                Element::ignored("bootp", &["file", "server"], &[]),
            ],
        ),
        Element::read("tftp", &["root"], &[], &[]),
    ],
);

const DNS: Element = Element::ignored(
    "dns",
    &["enable", "forwardPlainNames"],
    &[
        Element::ignored("forwarder", &["addr", "domain", "port"], &[]),
        Element::ignored("txt", &["name", "value"], &[]),
        Element::ignored(
            "srv",
            &[
                "service", "protocol", "domain", "target", "port", "priority", "weight",
            ],
            &[],
        ),
        Element::ignored(
            "host",
            &["ip"],
            &[Element::ignored("hostname", &[], &[]).holding(Content::Text)],
        ),
    ],
);

/// `<network>`, which holds all others.
pub(crate) static NETWORK: Element = Element::read(
    "network",
    &["ipv6"],
    &["connections", "trustGuestRxFilters"],
    &[
        Element::read("name", &[], &[], &[]).holding(Content::Text),
        Element::read(
            "bridge",
            &["name", "zone"],
            &["stp", "delay", "macTableManager"],
            &[],
        ),
        FORWARD,
        IP,
        Element::read("mtu", &["size"], &[], &[]),
        Element::read("port", &["isolated"], &[], &[]),
        Element::read(
            "route",
            &["family", "address", "netmask", "prefix", "gateway"],
            &["metric"],
            &[],
        ),
        Element::ignored("metadata", &[], &[]).holding(Content::Foreign),
        Element::ignored("uuid", &[], &[]).holding(Content::Text),
        Element::ignored("title", &[], &[]).holding(Content::Text),
        Element::ignored("description", &[], &[]).holding(Content::Text),
        Element::ignored("mac", &["address"], &[]),
        DNS,
        Element::ignored("domain", &["name", "localOnly", "register"], &[]),
        BANDWIDTH,
        VLAN,
        VIRTUALPORT,
        Element::ignored(
            "portgroup",
            &["name", "default", "trustGuestRxFilters"],
            &[BANDWIDTH, VLAN, VIRTUALPORT],
        ),
    ],
);
