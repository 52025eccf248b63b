//! A packet that was traced, and what became of it.

use std::net::IpAddr;

use palisade_core::evaluate::{Flow, Packet, Verdict, Visit};
use palisade_netlink::FiveTuple;
use palisade_netlink::rtnetlink::HostError;
use palisade_nft::trace::{self, Event, Headers, Journey};
use serde::Serialize;

use crate::routing::NoWay;

/// A packet that was traced, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TracedPacket {
    /// The packet, as it came.
    pub packet: Packet,
    /// What became of it.
    pub end: End,
    /// What nf_tables decided: that it passes, or not. None if nothing more was heard of it.
    pub verdict: Option<Verdict>,
    /// With which source it left or came to the host, if that is another than it came with.
    pub source: Option<Seen>,
    /// With which destination, if that is another.
    pub destination: Option<Seen>,
    /// The rules that applied to it, and the policies of base chains that it came to the end of.
    pub path: Vec<Visit>,
    /// Why the host sends it nowhere, where nothing more was heard of it for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_way: Option<NoWay>,
    /// Whether something may be missing in the path: more passed than could be told of.
    pub has_gaps: bool,
    /// Whether this is what our rules should do.
    pub prediction: Prediction,
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// The host itself took it.
    Arrived,
    /// It left the host.
    Left,
    /// The last rule or policy of its path stopped it.
    Stopped,
    /// Nothing more was heard of it: it was not routed, or something that nf_tables does not tell of
    /// took it, such as ip_tables.
    Unknown,
}

/// One end of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// The address.
    pub address: IpAddr,
    /// The port, if the protocol has ports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// Whether a packet met, in the tables of running networks, what it should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind", content = "detail")]
pub enum Prediction {
    /// There is no table of ours on its way.
    None,
    /// It met what it should.
    Same {
        /// The rules that it should meet, as [`Inspector::explain`](crate::Inspector::explain) tells of them.
        path: Vec<Visit>,
    },
    /// It met something else than it should.
    Differs {
        /// The rules that should have applied to it.
        path: Vec<Visit>,
        /// In words, where the ways part.
        why: String,
    },
    /// That cannot be said; why not, in words.
    Unsure(String),
}

/// Reads the packet from what was heard of it; none if it is not one of IPv4 or IPv6.
pub(super) fn read(
    journey: &Journey,
    mut name: impl FnMut(u32) -> Result<Option<String>, HostError>,
) -> Result<Option<TracedPacket>, HostError> {
    let Some(came) = ends(&journey.begin) else {
        return Ok(None);
    };
    let Some(mut packet) = packet(&came) else {
        return Ok(None);
    };
    let last = match &journey.end {
        trace::End::Arrived(event) | trace::End::Left(event) => Some(event),
        _ => None,
    };
    let heard = || {
        [&journey.begin]
            .into_iter()
            .chain(&journey.events)
            .chain(last)
    };
    let mut interface = |index: Option<u32>| match index {
        // What our types do not take for a name is none of our networks' interfaces.
        Some(index) => name(index).map(|name| name.and_then(|name| name.parse().ok())),
        None => Ok(None),
    };
    packet.in_interface = interface(heard().find_map(|event| event.in_interface))?;
    packet.out_interface = interface(heard().find_map(|event| event.out_interface))?;
    packet.flow = heard().filter_map(flow).next_back().unwrap_or_default();
    let went = last.and_then(ends);
    let other = |end: fn(&FiveTuple) -> Seen| {
        let went = went.as_ref().map(end);
        went.filter(|went| *went != end(&came))
    };
    let (end, verdict) = match journey.end {
        trace::End::Arrived(_) => (End::Arrived, Some(Verdict::Accept)),
        trace::End::Left(_) => (End::Left, Some(Verdict::Accept)),
        trace::End::Dropped => (End::Stopped, Some(Verdict::Drop)),
        trace::End::Unknown => (End::Unknown, None),
    };
    Ok(Some(TracedPacket {
        packet,
        end,
        verdict,
        source: other(source),
        destination: other(destination),
        path: Vec::new(),
        no_way: None,
        has_gaps: journey.has_gaps,
        prediction: Prediction::None,
    }))
}

impl TracedPacket {
    /// The networks and purposes of rules that stand for several, as the prediction found them out.
    pub(super) fn name_owners(&mut self) {
        let (Prediction::Same { path } | Prediction::Differs { path, .. }) = &self.prediction
        else {
            return;
        };
        for visit in &mut self.path {
            let is_it = |other: &&Visit| {
                visit.handle.is_some()
                    && (&other.table, other.handle) == (&visit.table, visit.handle)
            };
            if let Some(known) = path.iter().find(is_it) {
                visit.network = known.network.clone().or(visit.network.take());
                visit.purpose = known.purpose.or(visit.purpose);
            }
        }
    }
}

/// From whom to whom, as this event shows the packet.
pub(super) fn ends(event: &Event) -> Option<FiveTuple> {
    event.headers.as_ref().and_then(Headers::ends)
}

/// A packet between these ends.
pub(super) fn packet(ends: &FiveTuple) -> Option<Packet> {
    let mut packet = Packet::new(ends.source, ends.destination, ends.protocol).ok()?;
    if let Some((source, destination)) = ends.ports {
        packet.source_port = Some(source);
        packet.destination_port = Some(destination);
    }
    Some(packet)
}

/// What conntrack knows of the packet's flow, if the kernel says so.
pub(super) fn flow(event: &Event) -> Option<Flow> {
    // The bits of `ct state`.
    const FLOWS: [(u32, Flow); 5] = [
        (1, Flow::Invalid),
        (2, Flow::Established),
        (4, Flow::Related),
        (8, Flow::New),
        (64, Flow::Untracked),
    ];
    let state = event.flow?;
    let known = FLOWS.iter().find(|(bit, _)| state & bit != 0);
    known.map(|&(_, flow)| flow)
}

/// Whether NAT gave the packet's flow another destination, if the kernel reports it.
pub(super) fn is_redirected(heard: &[&Event]) -> Option<bool> {
    /// `IPS_DST_NAT`.
    const DNAT: u32 = 1 << 5;
    let statuses = heard.iter().filter_map(|event| event.flow_status);
    statuses
        .map(|status| status & DNAT != 0)
        .reduce(|one, other| one || other)
}

fn source(ends: &FiveTuple) -> Seen {
    let port = ends.ports.map(|(source, _)| source);
    Seen {
        address: ends.source,
        port,
    }
}

fn destination(ends: &FiveTuple) -> Seen {
    let port = ends.ports.map(|(_, destination)| destination);
    Seen {
        address: ends.destination,
        port,
    }
}
