//! palisade's own elements, in the `<metadata>` of libvirt's network XML.

/// The namespace of palisade's elements.
pub(crate) const NAMESPACE: &str = "https://palisade.example/network/1";

/// The prefix that documents use for the namespace.
pub(crate) const OWN_PREFIX: &str = "palisade";

/// One of palisade's elements. `<metadata>` holds them, or one `<palisade:network>` around them.
#[derive(Debug)]
pub(crate) struct OwnElement {
    pub(crate) name: &'static str,
    pub(crate) attributes: &'static [&'static str],
}

/// All of them.
pub(crate) const OWN: &[OwnElement] = &[
    OwnElement {
        name: "network",
        attributes: &[],
    },
    OwnElement {
        name: "forward",
        attributes: &["protocol", "listen", "to", "from"],
    },
    OwnElement {
        name: "mss_clamp",
        attributes: &["size"],
    },
    OwnElement {
        name: "nat_between_networks",
        attributes: &["enabled"],
    },
    OwnElement {
        name: "log",
        attributes: &["prefix", "rate", "group"],
    },
];
