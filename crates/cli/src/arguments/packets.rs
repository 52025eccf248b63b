//! What `explain` and `trace` take: packets.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ipnet::IpNet;
use palisade::evaluate::protocol_number;
use palisade::network::{InterfaceName, Name};
use palisade_inspect::explain::Endpoint;

use super::definitions::named_bridge;

/// A packet to explain: from interface to interface, or from whom to whom. What is left out follows from
/// the rest, the networks and the kernel's routes.
#[derive(Debug, Args)]
pub(crate) struct ExplainedPacket {
    /// A guest that sends it: a network, with its address where it matters; or world, or host.
    /// A network that is called so itself: network:world, network:host
    #[arg(long, value_name = "NETWORK[/ADDR]|world[/ADDR]|host")]
    pub(crate) from: Option<Endpoint>,
    /// Whom it is for: a guest of a network, somebody in the world, or the host itself
    #[arg(long, value_name = "NETWORK[/ADDR]|world[/ADDR]|host")]
    pub(crate) to: Option<Endpoint>,
    /// The interface that it comes in through; without it, the one where the source is
    #[arg(long = "in", value_name = "IFNAME")]
    pub(crate) in_interface: Option<InterfaceName>,
    /// The interface that it leaves through; without it, the one where the host's route leads
    #[arg(long = "out", value_name = "IFNAME")]
    pub(crate) out_interface: Option<InterfaceName>,
    /// The address that it comes from
    #[arg(long, value_name = "ADDR")]
    pub(crate) src: Option<IpAddr>,
    /// The address that it goes to
    #[arg(long, value_name = "ADDR")]
    pub(crate) dst: Option<IpAddr>,
    /// The protocol: tcp, udp, icmp, icmpv6, sctp, gre, esp, ... or its number [default: tcp]
    #[arg(long, value_name = "PROTOCOL", value_parser = protocol)]
    pub(crate) proto: Option<u8>,
    /// The port that it comes from
    #[arg(long, value_name = "N")]
    pub(crate) sport: Option<u16>,
    /// The port that it goes to
    #[arg(long, value_name = "N")]
    pub(crate) dport: Option<u16>,
    /// What conntrack knows of its flow [default: new]
    #[arg(long, value_name = "STATE", value_enum)]
    pub(crate) ct: Option<CtState>,
    /// Ask about the networks of these definitions, whether they run or not; no kernel is asked
    #[arg(long, value_name = "FILE|DIR", num_args = 1..)]
    pub(crate) definitions: Vec<PathBuf>,
    /// The bridge of a network whose definition names none
    #[arg(long = "bridge", value_name = "NAME=BRIDGE", value_parser = named_bridge,
        requires = "definitions")]
    pub(crate) bridges: Vec<(Name, InterfaceName)>,
}

/// What conntrack knows of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CtState {
    /// Its first packet, or still without an answer.
    New,
    /// Packets went both ways.
    Established,
    /// It belongs to another flow, such as an ICMP error.
    Related,
    /// conntrack makes no sense of it.
    Invalid,
}

/// Which packets to trace: those for which all of this holds.
#[derive(Debug, Args)]
pub(crate) struct TracedPackets {
    /// They came in through this interface
    #[arg(long = "in", value_name = "IFNAME")]
    pub(crate) in_interface: Option<InterfaceName>,
    /// They leave through this interface
    #[arg(long = "out", value_name = "IFNAME")]
    pub(crate) out_interface: Option<InterfaceName>,
    /// They come from this address or subnet
    #[arg(long, value_name = "ADDR|SUBNET", value_parser = net)]
    pub(crate) src: Option<IpNet>,
    /// They go to this address or subnet
    #[arg(long, value_name = "ADDR|SUBNET", value_parser = net)]
    pub(crate) dst: Option<IpNet>,
    /// The protocol: tcp, udp, icmp, icmpv6, sctp, gre, esp, ... or its number
    #[arg(long, value_name = "PROTOCOL", value_parser = protocol)]
    pub(crate) proto: Option<u8>,
    /// The port that they come from
    #[arg(long, value_name = "N", requires = "proto")]
    pub(crate) sport: Option<u16>,
    /// The port that they go to
    #[arg(long, value_name = "N", requires = "proto")]
    pub(crate) dport: Option<u16>,
    /// End after so many packets
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// End after so long
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) time: Option<u64>,
}

/// An address alone is a subnet of one.
fn net(text: &str) -> Result<IpNet, String> {
    let address = text.parse().map(|address: IpAddr| IpNet::from(address));
    let net = address.or_else(|_| text.parse::<IpNet>());
    net.map(|net| net.trunc())
        .map_err(|_| "write an address, or a subnet such as 192.168.122.0/24".to_owned())
}

fn protocol(text: &str) -> Result<u8, String> {
    protocol_number(text).ok_or_else(|| {
        "write tcp, udp, icmp, icmpv6, sctp, dccp, udplite, gre, esp, ah or a number up to 255"
            .to_owned()
    })
}

impl ExplainedPacket {
    /// Whether nothing says where the packet comes from or goes.
    pub(super) fn says_nothing(&self) -> bool {
        let ends = self.from.is_none() && self.to.is_none();
        let interfaces = self.in_interface.is_none() && self.out_interface.is_none();
        ends && interfaces && self.src.is_none() && self.dst.is_none()
    }
}

pub(super) fn are_of_two_families(ends: [Option<IpAddr>; 2]) -> bool {
    match ends {
        [Some(source), Some(destination)] => source.is_ipv4() != destination.is_ipv4(),
        _ => false,
    }
}
