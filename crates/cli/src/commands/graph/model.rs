//! Networks, bridges, devices and forwards, and which of them lead to which.

use std::collections::BTreeSet;

use palisade::network::{Forward, Network};
use palisade::{BridgeState, Overview};
use serde::Serialize;

/// What is drawn.
#[derive(Debug, Default, Serialize)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
}

/// A box.
#[derive(Debug, Serialize)]
pub(super) struct Node {
    /// The name that edges have for it, unique in the graph.
    pub(super) id: String,
    pub(super) kind: NodeKind,
    /// What is written into it, line by line.
    pub(super) label: Vec<String>,
}

/// What a box stands for, in the order in which they are drawn from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum NodeKind {
    /// Everything beyond the host.
    World,
    /// A device that networks are bound to.
    Device,
    /// A port of the host that leads to a guest.
    Forward,
    /// A network with its bridge.
    Network,
    /// An interface on a bridge.
    Port,
}

/// An arrow.
#[derive(Debug, Serialize)]
pub(super) struct Edge {
    pub(super) from: String,
    pub(super) to: String,
    /// What becomes of packets that go this way.
    pub(super) label: String,
}

const WORLD: &str = "world";

impl Graph {
    pub(super) fn of(networks: &[Overview]) -> Self {
        let mut graph = Self::default();
        if networks.is_empty() {
            return graph;
        }
        graph.node(WORLD.to_owned(), NodeKind::World, [WORLD.to_owned()]);
        let records = networks.iter().map(|overview| &overview.record.network);
        let devices: BTreeSet<&str> = records
            .filter_map(|network| Some(network.forward().device()?.as_str()))
            .collect();
        for device in devices {
            graph.node(
                format!("device {device}"),
                NodeKind::Device,
                [device.to_owned()],
            );
            graph.edge(&format!("device {device}"), WORLD, "");
        }
        for overview in networks {
            graph.network(overview);
        }
        graph
    }

    fn network(&mut self, overview: &Overview) {
        let network = &overview.record.network;
        let id = format!("network {}", network.name());
        let mut label = vec![network.name().to_string()];
        if let Some(bridge) = network.bridge() {
            let state = match overview.bridge.as_ref().map(|bridge| bridge.state) {
                Some(BridgeState::Missing) => " (missing)",
                Some(BridgeState::Down) => " (down)",
                Some(BridgeState::Up) | None => "",
            };
            label.push(format!("{bridge}{state}"));
        }
        label.extend(network.subnets().iter().map(ToString::to_string));
        self.node(id.clone(), NodeKind::Network, label);
        self.ways(network, &id);
        for (place, forward) in network.port_forwards().iter().enumerate() {
            let port = format!("forward {place} of {}", network.name());
            let at = match forward.listen().address() {
                Some(address) => address.to_string(),
                None => "any address".to_owned(),
            };
            let ports = forward.listen().ports();
            let label = [at, format!("{} {ports}", forward.protocol())];
            self.node(port.clone(), NodeKind::Forward, label);
            let from: Vec<String> = forward.sources().iter().map(ToString::to_string).collect();
            self.edge(WORLD, &port, &from.join(", "));
            self.edge(&port, &id, &format!("to {}", forward.target()));
        }
        let ports = overview.bridge.iter().flat_map(|bridge| &bridge.ports);
        for port in ports {
            let of_port = format!("port {port}");
            self.node(of_port.clone(), NodeKind::Port, [port.clone()]);
            self.edge(&of_port, &id, "");
        }
    }

    /// The ways beyond the bridge, with what becomes of packets on them.
    fn ways(&mut self, network: &Network, id: &str) {
        let (out, incoming) = match network.forward() {
            Forward::Isolated => return,
            Forward::Nat(_) => ("nat", None),
            Forward::Route { .. } => ("routed", Some("routed")),
            Forward::Open => ("without rules", Some("without rules")),
            Forward::Unmanaged(_) => ("not palisade's", Some("not palisade's")),
        };
        let beyond = match network.forward().device() {
            Some(device) => format!("device {device}"),
            None => WORLD.to_owned(),
        };
        self.edge(id, &beyond, out);
        if let Some(incoming) = incoming {
            self.edge(&beyond, id, incoming);
        }
    }

    fn node(&mut self, id: String, kind: NodeKind, label: impl IntoIterator<Item = String>) {
        let label = label.into_iter().collect();
        self.nodes.push(Node { id, kind, label });
    }

    fn edge(&mut self, from: &str, to: &str, label: &str) {
        self.edges.push(Edge {
            from: from.to_owned(),
            to: to.to_owned(),
            label: label.to_owned(),
        });
    }

    /// Where a node stands among all.
    pub(super) fn place(&self, id: &str) -> usize {
        let mut nodes = self.nodes.iter();
        nodes.position(|node| node.id == id).unwrap_or_default()
    }
}
