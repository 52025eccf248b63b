//! The kernel's settings, as files under /proc/sys say inside the network namespace.

use std::collections::BTreeMap;
use std::fs;

use palisade_netlink::rtnetlink::Host;

use super::finding::Evidence;

/// Settings of the namespace as a whole.
const OF_ALL: [&str; 5] = [
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/rp_filter",
    "net/ipv6/conf/all/forwarding",
    "net/bridge/bridge-nf-call-iptables",
    "net/bridge/bridge-nf-call-ip6tables",
];
/// Settings of each interface.
const OF_EACH: [&str; 6] = [
    "net/ipv4/conf/IF/forwarding",
    "net/ipv4/conf/IF/rp_filter",
    "net/ipv6/conf/IF/forwarding",
    "net/ipv6/conf/IF/force_forwarding",
    "net/ipv6/conf/IF/disable_ipv6",
    "net/ipv6/conf/IF/accept_ra",
];

/// Files under /proc/sys by their paths there, with what they said.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Reads those of the network namespace that the calling thread is in.
    pub(super) fn read(host: &Host) -> Self {
        let mut settings = Self::default();
        for path in OF_ALL {
            settings.take(path.to_owned());
        }
        for link in &host.links {
            for path in OF_EACH {
                settings.take(path.replace("IF", &link.name));
            }
        }
        settings
    }

    fn take(&mut self, path: String) {
        // What is not there is a part that this kernel lacks.
        if let Ok(text) = fs::read_to_string(format!("/proc/sys/{path}")) {
            self.0.insert(path, text.trim().to_owned());
        }
    }

    /// What a setting says; none if there is no such setting.
    pub(super) fn value(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// Whether a setting is there and says this.
    pub(super) fn is(&self, path: &str, value: &str) -> bool {
        self.value(path) == Some(value)
    }

    /// The file and what it says.
    pub(super) fn evidence(&self, path: &str) -> Evidence {
        Evidence::File {
            file: format!("/proc/sys/{path}"),
            value: self.value(path).unwrap_or("not there").to_owned(),
        }
    }
}
