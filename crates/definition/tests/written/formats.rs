//! One network in each format, in several ways: not as the reader knows them, but as the
//! formats' own documents do.

use std::fmt::Write;
use std::net::IpAddr;

use palisade_core::Network;
use palisade_core::network::{
    Family, Forward, LogRate, LogRefused, MssClamp, Nat, PortForward, PortRange, Subnet,
};
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
    if let Some(mtu) = network.mtu() {
        writeln!(out, "  <mtu size='{mtu}'/>").unwrap();
    }
    if network.isolated_ports() {
        out.push_str("  <port isolated='yes'/>\n");
    } else if style.defaults {
        out.push_str("  <port isolated='no'/>\n");
    }
    out + &metadata(network, style) + "</network>\n"
}

/// palisade's own elements; with `elements`, around them one of palisade's, and a namespace for it.
fn metadata(network: &Network, style: Style) -> String {
    let namespace = "https://palisade.example/network/1";
    let mut own = String::new();
    let mut element = |name: &str, attributes: &str| {
        if style.elements {
            write!(own, "<{name}{attributes}/>").unwrap();
        } else {
            write!(own, "<p:{name}{attributes} xmlns:p='{namespace}'/>").unwrap();
        }
    };
    for forward in network.port_forwards() {
        let (protocol, from) = (forward.protocol(), forward.sources());
        let mut attributes = format!(
            " to='{}' listen='{}' protocol='{protocol}'",
            forward.target(),
            forward.listen()
        );
        if !from.is_empty() {
            let from: Vec<String> = from.iter().map(ToString::to_string).collect();
            let between = if style.tables { ", " } else { " " };
            write!(attributes, " from='{}'", from.join(between)).unwrap();
        }
        element("forward", &attributes);
    }
    match network.mss_clamp() {
        None => {}
        Some(MssClamp::RouteMtu) => element("mss_clamp", ""),
        Some(MssClamp::Size(size)) => element("mss_clamp", &format!(" size='{}'", size.bytes())),
    }
    match network.forward() {
        Forward::Nat(nat) if !nat.between_networks => {
            element("nat_between_networks", " enabled='no'");
        }
        Forward::Nat(_) if style.defaults => element("nat_between_networks", " enabled='yes'"),
        _ => {}
    }
    if let Some(log) = network.log() {
        let mut attributes = String::new();
        if let Some(prefix) = &log.prefix {
            write!(attributes, " prefix='{}'", escape(prefix.as_str())).unwrap();
        }
        if style.defaults || log.rate != LogRate::default() {
            write!(attributes, " rate='{}'", log.rate).unwrap();
        }
        if let Some(group) = log.group {
            write!(attributes, " group='{group}'").unwrap();
        }
        element("log", &attributes);
    }
    if style.elements {
        own = format!("<network xmlns='{namespace}'>{own}</network>");
    }
    format!("  <metadata><other:x xmlns:other='urn:x' bridge='y'/>{own}</metadata>\n")
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
    if network.isolated_ports() || style.defaults {
        set("isolated_ports", json!(network.isolated_ports()));
    }
    if let Some(mtu) = network.mtu() {
        set("mtu", json!(mtu.bytes()));
    }
    match network.mss_clamp() {
        None if style.defaults => set("mss_clamp", json!(false)),
        None => None,
        Some(MssClamp::RouteMtu) => set("mss_clamp", json!(true)),
        Some(MssClamp::Size(size)) => set("mss_clamp", json!(size.bytes())),
    };
    let forwards: Vec<Value> = network
        .port_forwards()
        .iter()
        .map(|forward| port_forward(forward, style))
        .collect();
    if style.defaults || !forwards.is_empty() {
        set("forwards", json!(forwards));
    }
    match network.log() {
        None if style.defaults => set("log", json!(false)),
        None => None,
        Some(log) if *log == LogRefused::default() && !style.tables => set("log", json!(true)),
        Some(log) => set("log", self::log(log, style)),
    };
    let Forward::Nat(nat) = network.forward() else {
        return fields.into();
    };
    if !nat.between_networks || style.defaults {
        set("nat_between_networks", json!(nat.between_networks));
    }
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

fn port_forward(forward: &PortForward, style: Style) -> Value {
    let (listen, to) = (forward.listen(), forward.target());
    let protocol = forward.protocol().to_string();
    if !style.tables && forward.sources().is_empty() {
        return json!(format!("{protocol} {listen} -> {to}"));
    }
    let mut fields = Map::new();
    fields.insert("to".to_owned(), json!(to.to_string()));
    fields.insert("protocol".to_owned(), json!(protocol));
    let text = listen.to_string();
    let listen = text.parse::<u16>().map_or(json!(text), |port| json!(port));
    fields.insert("listen".to_owned(), listen);
    if !forward.sources().is_empty() {
        let from = forward
            .sources()
            .iter()
            .map(|source| match source.to_string() {
                // Addresses alone may leave the prefix out.
                text if style.defaults => text,
                text => text
                    .strip_suffix("/32")
                    .or(text.strip_suffix("/128"))
                    .filter(|_| source.net().max_prefix_len() == source.prefix())
                    .map_or(text.clone(), str::to_owned),
            });
        fields.insert("from".to_owned(), from.collect::<Vec<_>>().into());
    }
    fields.into()
}

fn log(log: &LogRefused, style: Style) -> Value {
    let mut fields = Map::new();
    if let Some(prefix) = &log.prefix {
        fields.insert("prefix".to_owned(), json!(prefix.as_str()));
    }
    if let Some(group) = log.group {
        fields.insert("group".to_owned(), json!(group));
    }
    if style.defaults || log.rate != LogRate::default() {
        fields.insert("rate".to_owned(), json!(log.rate.to_string()));
    }
    fields.into()
}

/// The same fields as TOML.
pub(crate) fn toml(network: &Network, style: Style) -> String {
    let fields: toml::Table = serde_json::from_value(json(network, style)).unwrap();
    toml::to_string(&fields).unwrap()
}
