//! What on a host drops, breaks or hides guests' traffic, whoever put it there.
//!
//! [`Inspector::doctor`](crate::Inspector::doctor) reads all that checks look at once: interfaces and
//! routes, the kernel's settings, everybody's rules, our own records. Each check is a file here,
//! and makes [`Finding`]s of what it sees: with evidence, what follows for which network, and
//! commands that mend it. Nothing is changed; what the kernel can do is tried out in batches that
//! must fail.

mod collisions;
mod error;
mod exact;
mod features;
mod filters;
mod finding;
mod forwarding;
mod interfaces;
mod keeper;
mod leftovers;
mod location;
mod mend;
mod packets;
mod programs;
mod rulesets;
mod scene;
mod settings;
mod sources;
mod unguarded;

use std::path::{Path, PathBuf};

use palisade::{Firewall, folder};
use palisade_core::state::State;
use palisade_netlink::Socket;
use palisade_netlink::rtnetlink::Host;
use palisade_nft::backend::Nftables;

use crate::{ip_tables, libvirt};
use leftovers::OfLibvirt;
use mend::Mend;
use rulesets::Rulesets;
use scene::Scene;
use settings::Settings;

pub use error::DoctorError;
pub use finding::{Check, Evidence, Finding, Severity};

/// All that is wrong, the worst first.
pub(crate) fn examine(firewall: &Firewall) -> Result<Vec<Finding>, DoctorError> {
    let (state, namespace) = (firewall.state(), firewall.namespace());
    let host = Host::read(namespace)?;
    let legacy = ip_tables::families(namespace)?;
    let settings = match namespace {
        None => Settings::read(&host),
        Some(path) => {
            let host = host.clone();
            palisade_netlink::within(path.to_owned(), move || Ok(Settings::read(&host)))?
        }
    };
    let scene = Scene {
        records: state.records(None)?,
        host,
        settings,
        mend: Mend {
            namespace: namespace.map(Path::to_owned),
            state_directory: unusual(state),
        },
    };
    let mut nftables = Nftables::new(Box::new(Socket::open_in(namespace)?));
    let mut rulesets = Rulesets::read(&mut nftables.reader(), namespace, &legacy)?;
    let native = libvirt::nftables(&mut nftables.reader(), namespace)?;
    let of_libvirt = OfLibvirt::new(native, &rulesets);

    let mut found = std::mem::take(&mut rulesets.unseen);
    found.extend(filters::findings(&scene, &rulesets));
    found.extend(forwarding::findings(&scene));
    found.extend(sources::findings(&scene));
    found.extend(interfaces::findings(&scene));
    for link in interfaces::unruled(&scene) {
        if !of_libvirt.names(&link.name) {
            found.push(interfaces::unruled_finding(&scene, link));
        }
    }
    found.extend(collisions::findings(&scene));
    found.extend(unguarded::findings(firewall, &scene));
    found.extend(programs::findings(firewall, &scene, &rulesets));
    found.extend(features::of_nftables(&scene, &mut nftables)?);
    found.extend(features::of_iptables(firewall, &scene));
    found.extend(leftovers::of_libvirt(&scene, &rulesets, &of_libvirt));
    found.extend(leftovers::unrecorded(firewall, &scene, &rulesets));
    found.extend(leftovers::of_state(&scene, state)?);
    found.sort_by_key(|finding| finding.severity);
    Ok(found)
}

/// The state directory, where it is not the usual one.
fn unusual(state: &State) -> Option<PathBuf> {
    let place = PathBuf::from(state.place());
    let parent = place.parent().map(Path::to_owned);
    parent.filter(|parent| *parent != folder::usual())
}
