//! Explains packets by the rules that are installed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use palisade_core::evaluate::Ground;
use palisade_core::network::{Family, InterfaceName, Network};
use palisade_netlink::rtnetlink::Host;

use super::dnat::Scenery;
use super::error::ExplainError;
use super::explanation::Explanation;
use super::question::Question;
use super::resolve::{self, Resolved};
use crate::devices::devices;
use crate::host_rules::{HostReader, HostRulesError, Unread};
use crate::routing::Routing;

/// The rules of a network namespace, read once for each family when the first packet of it is
/// explained.
pub(crate) struct Live {
    networks: Vec<Network>,
    routing: Routing,
    scenes: BTreeMap<Family, Scene>,
}

impl Live {
    /// The network namespace in which these networks run.
    pub(crate) fn of(
        networks: Vec<Network>,
        namespace: Option<&Path>,
    ) -> Result<Self, ExplainError> {
        Ok(Self {
            networks,
            routing: Routing::read(namespace)?,
            scenes: BTreeMap::new(),
        })
    }

    pub(crate) fn explain(
        &mut self,
        reader: &mut HostReader,
        question: &Question,
    ) -> Result<Explanation, ExplainError> {
        let resolved = resolve::resolve(question, &self.networks, Some(&self.routing))?;
        let family = resolved.packet.family();
        let scene = match self.scenes.entry(family) {
            Entry::Occupied(read) => read.into_mut(),
            Entry::Vacant(unread) => {
                unread.insert(Scene::read(reader, family, &self.routing.host)?)
            }
        };
        scene.explain(resolved, &self.networks, &self.routing)
    }
}

/// The rules that packets of one family pass, and notes on those that cannot be read.
struct Scene {
    ground: Ground<'static>,
    unseen: Vec<String>,
}

impl Scene {
    fn read(reader: &mut HostReader, family: Family, host: &Host) -> Result<Self, HostRulesError> {
        let rules = reader.read(&[family])?;
        let unread = rules
            .unread
            .iter()
            .filter(|unread| !unread.is_seen_elsewhere());
        let unseen = unread.map(|Unread { variant, why, .. }| {
            format!(
                "the rules of iptables-{variant} for {family} stand here, and cannot be read: {why}"
            )
        });
        Ok(Self {
            unseen: unseen.collect(),
            ground: rules.into_ground().on(devices(host)),
        })
    }

    fn explain(
        &self,
        resolved: Resolved,
        networks: &[Network],
        routing: &Routing,
    ) -> Result<Explanation, ExplainError> {
        let scenery = Scenery {
            ground: &self.ground,
            networks,
            routing: Some(routing),
        };
        let host = &routing.host;
        let mut explanation = Explanation::of(scenery, resolved)?;
        explanation.notes.extend(self.unseen.iter().cloned());
        if explanation.no_way.is_none() {
            let packet = &explanation.packet;
            let interfaces = [&packet.in_interface, &packet.out_interface];
            let is_absent = |name: &&InterfaceName| host.link(name.as_str()).is_none();
            let absent = interfaces.into_iter().flatten().filter(is_absent);
            let absent: Vec<String> = absent
                .map(|name| format!("there is no interface `{name}` here"))
                .collect();
            explanation.caveats.extend(absent);
        }
        explanation.name_addresses(host);
        Ok(explanation)
    }
}
