//! Where networks can run, and what stands there.

use crate::{Definition, Dump, Namespace, Palisade, iptables};

/// A backend with a choice of how it does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// nftables, sets asked by rules that are the same for all networks.
    Mapped,
    /// nftables, rules for each network.
    Flat,
    /// iptables, by its legacy programs.
    Legacy,
    /// iptables, by its programs over nf_tables.
    Nft,
}

use Place::{Flat, Legacy, Mapped, Nft};

impl Place {
    /// Every one.
    pub const ALL: [Self; 4] = [Mapped, Flat, Legacy, Nft];
    /// Those of the nftables backend.
    pub const OF_NFTABLES: [Self; 2] = [Mapped, Flat];
    /// Those of the iptables backend.
    pub const OF_IPTABLES: [Self; 2] = [Legacy, Nft];

    /// The word by which this one is chosen, beside the backend.
    pub fn word(self) -> &'static str {
        match self {
            Mapped => "mapped",
            Flat => "flat",
            Legacy => "legacy",
            Nft => "nft",
        }
    }

    /// The backend's name, as it is chosen.
    pub fn backend(self) -> &'static str {
        match self {
            Mapped | Flat => "nftables",
            Legacy | Nft => "iptables",
        }
    }

    fn option(self) -> &'static str {
        match self {
            Mapped | Flat => "--layout",
            Legacy | Nft => "--iptables",
        }
    }

    /// The options that choose it.
    pub fn options(self) -> [&'static str; 4] {
        ["--backend", self.backend(), self.option(), self.word()]
    }

    /// The command that moves all networks there.
    pub fn migration(self) -> [&'static str; 5] {
        [
            "migrate",
            "--to",
            self.backend(),
            self.option(),
            self.word(),
        ]
    }

    /// The command, with this place chosen.
    pub fn palisade(self, namespace: &Namespace) -> Palisade<'_> {
        Palisade::new(namespace).with(self.options())
    }

    /// All that is ours there.
    pub fn standing(self, namespace: &Namespace) -> String {
        match self {
            Mapped | Flat => ["ip", "ip6"]
                .into_iter()
                .filter_map(|family| Dump::table(namespace, family, "palisade"))
                .map(|table| table.settled().to_string())
                .collect(),
            Legacy | Nft => iptables::ours(namespace, self.word()).join("\n") + "\n",
        }
    }
}

/// With a subnet of each family.
pub fn net(i: u8) -> Definition {
    let subnets = [format!("10.{i}.0.1/24"), format!("fd00:{i}::1/64")];
    let [v4, v6] = &subnets;
    Definition::nat(&format!("net{i}"), &format!("virbr{i}"), &[v4, v6])
}

/// The same network with other rules.
pub fn routed(i: u8) -> Definition {
    net(i).forwarding("<forward mode='route'/>")
}

/// What is recorded of each network, but for when it was started.
#[track_caller]
pub fn recorded(palisade: &Palisade<'_>) -> String {
    let listed = palisade.ok(["--format", "json", "list"]);
    let mut listed: serde_json::Value = serde_json::from_str(&listed).expect("list prints JSON");
    for network in listed.as_array_mut().expect("an array of networks") {
        let network = network.as_object_mut().expect("an object");
        network.remove("since").expect("since when it runs");
        network.remove("traffic").expect("what went through it");
        network.remove("why").expect("why it runs there");
    }
    format!("{listed:#}\n")
}

/// `verify` finds nothing.
#[track_caller]
pub fn assert_clean(palisade: &Palisade<'_>) {
    palisade.ok(["verify"]);
}
