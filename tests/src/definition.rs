//! Definitions of networks, as libvirt's users write them.

use std::fmt::Write;

/// A network's definition, put together by a test.
#[derive(Debug, Clone)]
pub struct Definition {
    /// The name.
    pub name: String,
    /// The bridge.
    pub bridge: String,
    /// `<forward>` as XML; empty for an isolated network.
    pub forward: String,
    /// The host's address and the prefix in each subnet.
    pub subnets: Vec<String>,
    /// Guests may talk IPv6 among themselves without a subnet.
    pub ipv6: bool,
    /// The host gives out addresses of the IPv4 subnets.
    pub dhcp: bool,
    /// Guests boot from the host.
    pub tftp: bool,
    /// Ports of the host that lead to guests: `tcp 8080 -> 192.168.122.11:80`.
    pub forwards: Vec<String>,
}

impl Definition {
    fn new(name: &str, bridge: &str, forward: &str, subnets: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            bridge: bridge.to_owned(),
            forward: forward.to_owned(),
            subnets: subnets.iter().map(|&subnet| subnet.to_owned()).collect(),
            ipv6: false,
            dhcp: false,
            tftp: false,
            forwards: Vec::new(),
        }
    }

    /// Guests leave with the host's address.
    #[must_use]
    pub fn nat(name: &str, bridge: &str, subnets: &[&str]) -> Self {
        Self::new(name, bridge, "<forward mode='nat'/>", subnets)
    }

    /// Guests keep their addresses.
    #[must_use]
    pub fn route(name: &str, bridge: &str, subnets: &[&str]) -> Self {
        Self::new(name, bridge, "<forward mode='route'/>", subnets)
    }

    /// Guests talk among themselves only.
    #[must_use]
    pub fn isolated(name: &str, bridge: &str, subnets: &[&str]) -> Self {
        Self::new(name, bridge, "", subnets)
    }

    /// The same with another `<forward>`.
    #[must_use]
    pub fn forwarding(mut self, forward: &str) -> Self {
        forward.clone_into(&mut self.forward);
        self
    }

    /// The same on another bridge.
    #[must_use]
    pub fn on(mut self, bridge: &str) -> Self {
        bridge.clone_into(&mut self.bridge);
        self
    }

    /// The same with DHCP in its IPv4 subnets.
    #[must_use]
    pub fn with_dhcp(mut self) -> Self {
        self.dhcp = true;
        self
    }

    /// The same with these forwards.
    #[must_use]
    pub fn with_forwards(mut self, forwards: &[&str]) -> Self {
        self.forwards = forwards.iter().map(|&forward| forward.to_owned()).collect();
        self
    }

    /// As libvirt network XML.
    #[must_use]
    pub fn xml(&self) -> String {
        let Self {
            name,
            bridge,
            forward,
            subnets,
            ipv6,
            dhcp,
            tftp,
            forwards,
        } = self;
        let ipv6 = if *ipv6 { " ipv6='yes'" } else { "" };
        let mut xml = format!(
            "<network{ipv6}>\n  <name>{}</name>\n  <bridge name='{}'/>\n  {forward}\n",
            escaped(name),
            escaped(bridge)
        );
        for subnet in subnets {
            let (address, prefix) = subnet.split_once('/').expect("ADDRESS/PREFIX");
            let family = if address.contains(':') {
                "ipv6"
            } else {
                "ipv4"
            };
            let range = format!("<dhcp><range start='{address}' end='{address}'/></dhcp>");
            let range = if *dhcp && family == "ipv4" {
                &range
            } else {
                ""
            };
            let boot = match *tftp && family == "ipv4" {
                true => "<tftp root='/srv'/>",
                false => "",
            };
            let _ = writeln!(
                xml,
                "  <ip family='{family}' address='{address}' prefix='{prefix}'>{boot}{range}</ip>"
            );
        }
        if !forwards.is_empty() {
            xml.push_str("  <metadata>\n");
            for forward in forwards {
                let words: Vec<&str> = forward.split(' ').collect();
                let [protocol, listen, "->", to] = words[..] else {
                    panic!("PROTOCOL LISTEN -> TARGET: {forward}");
                };
                let _ = writeln!(
                    xml,
                    "    <palisade:forward xmlns:palisade='https://palisade.example/network/1' \
                     protocol='{protocol}' listen='{listen}' to='{to}'/>"
                );
            }
            xml.push_str("  </metadata>\n");
        }
        xml + "</network>\n"
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('\'', "&apos;")
}
