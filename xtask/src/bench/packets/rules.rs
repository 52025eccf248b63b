//! The rules of a router.

use palisade::Layout;
use palisade::network::Established;
use palisade_netlink::Socket;

use super::super::contestant::{Label, What};
use super::super::ground::Ground;
use super::super::namespace::Namespace;
use super::super::networks::dual_networks;
use super::super::site::options;
use super::super::text;

/// What a single rule for all networks would say, in both families.
const MASQUERADE: &str = "\
table ip rival {
    chain post {
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr 10.0.0.0/8 oifname \"world\" counter masquerade
    }
}
table ip6 rival {
    chain post {
        type nat hook postrouting priority srcnat; policy accept;
        ip6 saddr fd00::/16 oifname \"world\" counter masquerade
    }
}
";

/// Whose rules, and for how many networks.
pub(super) struct Rules {
    pub(super) label: Label,
    pub(super) size: u16,
}

impl Rules {
    /// The number of the network with the guest: the last one.
    pub(super) fn last(&self) -> u16 {
        self.size.saturating_sub(1)
    }

    /// Where each packet walks a hundred rules or more, nobody waits for as many packets.
    pub(super) fn slices(&self) -> usize {
        match self.label.layout {
            Some(Layout::Flat) | None if self.size >= 100 => 7,
            _ => 61,
        }
    }

    /// Puts them into the router.
    pub(super) fn install(&self, ground: &Ground<'_>, router: &Namespace) -> Result<(), String> {
        let networks = dual_networks(self.size)?;
        match (self.label.layout, self.label.what) {
            (Some(layout), what) => {
                let state = ground.scratch.folder()?;
                let mut options = options(layout, router, &state);
                if what == What::KnownFirst {
                    options.choice.established = Some(Established::First);
                }
                let firewall = palisade::Firewall::open(&options);
                let mut firewall = firewall.map_err(|error| error.to_string())?;
                let report = firewall.apply(&networks);
                report.map_err(|error| error.to_string())?;
            }
            (None, What::Masquerade) => {
                let file = ground.scratch.write("masquerade.nft", MASQUERADE)?;
                router.time(&mut ground.nft(&file))?;
            }
            (None, _) => {
                let texts = text::iptables(&networks)?;
                for mut restore in ground.restore("legacy", "packets", &texts)? {
                    router.time(&mut restore)?;
                }
            }
        }
        Ok(())
    }
}

/// Forgets all flows of a namespace: a message of ctnetlink without a tuple.
pub(super) fn forget_flows(socket: &mut Socket) -> Result<(), String> {
    use palisade_netlink::Transport;
    /// `NFNL_SUBSYS_CTNETLINK` above `IPCTNL_MSG_CT_DELETE`.
    const DELETE: u16 = (1 << 8) | 2;
    /// `NLM_F_REQUEST` and `NLM_F_ACK`.
    const FLAGS: u16 = 0x5;
    const LENGTH: u32 = 20;
    let mut message = Vec::new();
    message.extend(LENGTH.to_ne_bytes());
    message.extend(DELETE.to_ne_bytes());
    message.extend(FLAGS.to_ne_bytes());
    // Sequence, port; family, version, resource.
    message.extend([0; 12]);
    let exchanged = socket.exchange(&message, &mut Vec::new());
    exchanged.map_err(|error| error.to_string())
}
