//! What on a host drops, breaks or hides guests' traffic.
//!
//! [`Inspector::doctor`](crate::Inspector::doctor) reads once what the checks need: interfaces and
//! routes, the kernel's settings, the rules of all programs, palisade's records. Each check is a file
//! here and returns [`Finding`]s, with evidence, the consequence for networks, and commands that fix
//! it. Nothing is changed; what the kernel can do is tried out in batches that must fail.

mod bridged;
mod collisions;
mod connections;
mod conntrack;
mod diagnosis;
mod error;
mod filters;
mod finding;
mod fix;
mod forwarding;
mod forwards;
mod interfaces;
mod iptables;
mod isolation;
mod leftovers;
mod listeners;
mod mtu;
mod nftables;
mod own_rules;
mod packets;
mod scene;
mod settings;
mod translation;
mod unguarded;
mod ways;

use std::path::{Path, PathBuf};

use palisade::{Firewall, folder};
use palisade_core::network::Family;
use palisade_core::state::State;

use crate::host_rules::{HostReader, Unread};
use crate::routing::Routing;
use connections::Conntrack;
use fix::Commands;
use scene::Scene;
use settings::Settings;

pub use diagnosis::Diagnosis;
pub use error::DoctorError;
pub use finding::{Check, Evidence, Finding, Fix, Severity};

/// Everything that is found.
pub(crate) fn examine(firewall: &mut Firewall) -> Result<Diagnosis, DoctorError> {
    let differences = firewall.differences()?;
    let (state, namespace) = (firewall.state(), firewall.namespace());
    let routing = Routing::read(namespace)?;
    let host = routing.host.clone();
    let (settings, listeners, conntrack) = match namespace {
        None => (Settings::read(&host), listeners::read(), Conntrack::read()),
        Some(path) => {
            let host = host.clone();
            let read = move || Ok((Settings::read(&host), listeners::read(), Conntrack::read()));
            palisade_netlink::within(path.to_owned(), read)?
        }
    };
    let scene = Scene {
        records: state.records(None)?,
        host,
        routing,
        settings,
        conntrack,
        commands: Commands {
            namespace: namespace.map(Path::to_owned),
            state_directory: unusual(state),
        },
    };
    let mut reader = HostReader::open(namespace)?;
    let rules = reader.read(&Family::BOTH)?;

    let mut found = own_rules::findings(&scene, &differences);
    found.extend(rules.unread.iter().map(not_seen));
    found.extend(filters::findings(&scene, &rules));
    found.extend(mtu::findings(&scene));
    found.extend(conntrack::findings(&scene));
    found.extend(forwarding::findings(&scene));
    found.extend(translation::findings(&scene, &rules)?);
    let mut whole = || Some(reader.read(&Family::BOTH).ok()?.into_ground());
    found.extend(forwards::findings(&scene, &rules, &listeners, &mut whole));
    found.extend(forwards::silent_targets(&scene, namespace)?);
    found.extend(ways::findings(&scene)?);
    found.extend(interfaces::findings(&scene));
    let of_libvirt = leftovers::libvirt_rules(&scene, &rules);
    for link in interfaces::unruled(&scene) {
        if !of_libvirt.iter().any(|rule| rule.names(&link.name)) {
            found.push(interfaces::unruled_finding(&scene, link));
        }
    }
    found.extend(isolation::findings(&scene));
    found.extend(collisions::findings(&scene));
    found.extend(unguarded::findings(firewall, &scene));
    found.extend(iptables::both_variants(firewall, &scene, &rules));
    found.extend(nftables::lacks(&scene, reader.nftables())?);
    found.extend(iptables::lacks(firewall, &scene));
    found.extend(leftovers::of_libvirt(&scene, &rules));
    found.extend(leftovers::of_state(&scene, state)?);
    found.extend(leftovers::unrecorded(firewall, &scene, &rules));
    found.extend(bridged::findings(firewall, &scene));
    found.sort_by_key(|finding| finding.severity);
    let found = found.into_iter().map(Finding::shown).collect();
    Ok(Diagnosis::new(found, &rules))
}

/// The state directory, where it is not the usual one.
fn unusual(state: &State) -> Option<PathBuf> {
    let place = PathBuf::from(state.place());
    let parent = place.parent().map(Path::to_owned);
    parent.filter(|parent| *parent != folder::usual())
}

fn not_seen(
    Unread {
        variant,
        family,
        why,
    }: &Unread,
) -> Finding {
    Finding {
        check: Check::NotSeen,
        severity: Severity::Note,
        networks: Vec::new(),
        summary: format!("the rules of {variant} iptables for {family} could not be looked at"),
        evidence: vec![Evidence::Table {
            program: format!("iptables-{variant}-save"),
            table: why.clone(),
        }],
        impact: "they are in use, and may drop what guests send".to_owned(),
        fix: Fix::commands(["apt-get install iptables".to_owned()]),
    }
}
