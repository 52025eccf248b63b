//! One network in each format, in several ways: not as the reader knows them, but as the
//! formats' own documents do.

use std::fmt::Write;
use std::net::IpAddr;

use palisade_core::Network;
use palisade_core::network::{Family, Forward, Nat, PortRange, Subnet};
use serde_json::{Map, Value, json};

/// Which of several ways to write the same is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    /// What is the default is written too.
    pub(crate) defaults: bool,
    /// A range is a table; otherwise it is a string.
    pub(crate) tables: bool,
    /// A netmask stands instead of a prefix.
    pub(crate) netmask: bool,
    /// The device is an element in XML.
    pub(crate) elements: bool,
}

pub(crate) fn xml(network: &Network, style: Style) -> String {
    let mut out = String::new();
    let yes = if network.ipv6() { " ipv6='yes'" } else { "" };
    let no = if style.defaults && yes.is_empty() {
        " ipv6='no'"
    } else {
        ""
    };
    writeln!(
        out,
        "<network{yes}{no}>\n  <name>{}</name>",
        escape(network.name().as_str())
    )
    .unwrap();
    write_forward(&mut out, network.forward(), style);
    if let Some(bridge) = network.bridge() {
        write!(out, "  <bridge name=\"{}\"", escape(bridge.as_str())).unwrap();
        if let Some(zone) = network.zone() {
            write!(out, " zone='{}'", escape(&zone.to_string())).unwrap();
        }
        out.push_str(" stp='on'/>\n");
    }
    let mut first = true;
    for &subnet in network.subnets() {
        write!(out, "  <ip {}>", address(subnet, style)).unwrap();
        if subnet.family() == Family::Ipv4 && std::mem::take(&mut first) {
            if network.tftp() {
                out.push_str("<tftp root='/srv'/>");
            }
            if network.dhcp() {
                out.push_str("<dhcp><host name='a' ip='10.0.0.2'/></dhcp>");
            }
        }
        out.push_str("</ip>\n");
    }
    out + "</network>\n"
}

fn write_forward(out: &mut String, forward: &Forward, style: Style) {
    let (mode, nat) = match forward {
        Forward::Isolated if style.defaults => ("none", None),
        Forward::Isolated => return,
        Forward::Nat(nat) => ("nat", Some(nat)),
        forward => (forward.mode(), None),
    };
    out.push_str("  <forward");
    if style.defaults || mode != "nat" {
        write!(out, " mode='{mode}'").unwrap();
    }
    let device = forward.device().map(|device| escape(device.as_str()));
    let as_element = device.as_ref().filter(|_| style.elements);
    if let Some(device) = device
        .as_ref()
        .filter(|_| !style.elements || style.defaults)
    {
        write!(out, " dev='{device}'").unwrap();
    }
    out.push('>');
    if let Some(device) = as_element {
        write!(out, "<interface dev='{device}'/>").unwrap();
    }
    if let Some(nat) = nat {
        write_nat(out, nat, style);
    }
    out.push_str("</forward>\n");
}

fn write_nat(out: &mut String, nat: &Nat, style: Style) {
    let yes = match nat.ipv6 {
        true => " ipv6='yes'",
        false if style.defaults => " ipv6='no'",
        false => "",
    };
    write!(out, "<nat{yes}>").unwrap();
    if let Some(range) = nat.addresses {
        write!(
            out,
            "<address start='{}' end='{}'/>",
            range.start(),
            range.end()
        )
        .unwrap();
    }
    if nat.ports != PortRange::default() {
        write!(
            out,
            "<port start='{}' end='{}'/>",
            nat.ports.start(),
            nat.ports.end()
        )
        .unwrap();
    } else if style.defaults {
        out.push_str("<port start='0' end='0'/>");
    }
    out.push_str("</nat>");
}

fn address(subnet: Subnet, style: Style) -> String {
    let (address, prefix) = (subnet.network(), subnet.prefix());
    let family = match address {
        IpAddr::V6(_) => " family='ipv6'",
        IpAddr::V4(_) if style.defaults => " family='ipv4'",
        IpAddr::V4(_) => "",
    };
    match address {
        IpAddr::V4(_) if style.netmask => {
            format!(
                "address='{address}' netmask='{}'{family}",
                subnet.net().netmask()
            )
        }
        IpAddr::V6(_) if prefix == 64 && !style.defaults => format!("address='{address}'{family}"),
        _ => format!("address='{address}' prefix='{prefix}'{family}"),
    }
}

fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&#38;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&apos;"),
            'a' => out.push_str("&#x61;"),
            other => out.push(other),
        }
    }
    out
}

/// The fields of a network as a JSON object.
pub(crate) fn json(network: &Network, style: Style) -> Value {
    let mut fields = Map::new();
    let mut set = |field: &str, value: Value| fields.insert(field.to_owned(), value);
    let mut flag = |field: &str, yes: bool| {
        if yes || style.defaults {
            set(field, json!(yes));
        }
    };
    flag("ipv6", network.ipv6());
    flag("dhcp", network.dhcp());
    flag("tftp", network.tftp());
    set("name", json!(network.name().as_str()));
    if let Some(bridge) = network.bridge() {
        set("bridge", json!(bridge.as_str()));
    }
    if let Some(zone) = network.zone() {
        set("zone", json!(zone.to_string()));
    }
    if let Some(device) = network.forward().device() {
        set("device", json!(device.as_str()));
    }
    if style.defaults || *network.forward() != Forward::Isolated {
        set("mode", json!(network.forward().mode()));
    }
    let subnets: Vec<String> = network.subnets().iter().map(ToString::to_string).collect();
    if style.defaults || !subnets.is_empty() {
        set("subnets", json!(subnets));
    }
    let Forward::Nat(nat) = network.forward() else {
        return fields.into();
    };
    if nat.ipv6 || style.defaults {
        set("nat_ipv6", json!(nat.ipv6));
    }
    if let Some(range) = nat.addresses {
        let (start, end) = (range.start().to_string(), range.end().to_string());
        let table = json!({"start": start, "end": end});
        set(
            "addresses",
            if style.tables {
                table
            } else {
                json!(range.to_string())
            },
        );
    }
    if nat.ports != PortRange::default() || style.defaults {
        let table = json!({"end": nat.ports.end(), "start": nat.ports.start().to_string()});
        set(
            "ports",
            if style.tables {
                table
            } else {
                json!(nat.ports.to_string())
            },
        );
    }
    fields.into()
}

/// The same fields as TOML.
pub(crate) fn toml(network: &Network, style: Style) -> String {
    let fields: toml::Table = serde_json::from_value(json(network, style)).unwrap();
    toml::to_string(&fields).unwrap()
}
