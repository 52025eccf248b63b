//! What becomes of one packet, and why: asked of what stands in the kernel, or of what definitions
//! would install.

mod ground;
mod live;
mod question;
mod resolve;
mod routes;

use palisade_core::evaluate::{Doubt, Nat, Outcome, Packet, Verdict, Visit};
use palisade_core::network::{Family, Network, conflicts};
use palisade_iptables::evaluate as iptables;
use palisade_nft::host::Host;
use palisade_nft::layout::Layout;
use palisade_nft::program::Program;
use serde::Serialize;

use crate::options::{BackendChoice, Choice};
use crate::render::RenderError;
use ground::{Ground, Saved};

pub use ground::TableVerdict;
pub use live::ExplainError;
pub(crate) use live::explain_live;
pub use question::{Endpoint, EndpointError, Question, Who};
pub use resolve::ResolveError;
use resolve::Resolved;

/// What becomes of a packet, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Whether all these tables let it pass. That it arrives is not said: there are routes,
    /// bridges and guests too.
    pub verdict: Verdict,
    /// What happens to its source address; none if nothing does.
    #[serde(serialize_with = "some_nat")]
    pub nat: Nat,
    /// Why, in words.
    pub nat_because: String,
    /// The packet.
    pub packet: Packet,
    /// What of it was not said, and is assumed.
    pub assumptions: Vec<String>,
    /// What it met, in that order.
    pub path: Vec<Visit>,
    /// Rules that may still change the verdict, since what they ask is not known here.
    pub undecided: Vec<Doubt>,
    /// What each table says by itself.
    pub tables: Vec<TableVerdict>,
    /// What else people should know.
    pub notes: Vec<String>,
}

/// `null` where there is none.
fn some_nat<S: serde::Serializer>(nat: &Nat, serializer: S) -> Result<S::Ok, S::Error> {
    let nat = (*nat != Nat::None).then_some(nat);
    nat.serialize(serializer)
}

impl Explanation {
    fn of(ground: &Ground, resolved: Resolved) -> Self {
        let Resolved {
            packet,
            assumptions,
            notes: mut told,
        } = resolved;
        told.extend(notes(&packet));
        let Outcome {
            fate,
            path,
            nat_because,
            doubts,
        } = ground.outcome(&packet);
        Self {
            verdict: fate.verdict,
            nat: fate.nat,
            nat_because,
            assumptions,
            path,
            undecided: doubts,
            tables: ground.tables(&packet),
            notes: told,
            packet,
        }
    }

    /// The last rule that the packet met: the one that decided, where it is refused.
    #[must_use]
    pub fn decided_by(&self) -> Option<&Visit> {
        self.path.iter().rfind(|visit| visit.matched == Some(true))
    }

    /// Whether a rule of a network applies to the packet.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        let is_ours = |visit: &Visit| visit.matched == Some(true) && visit.network.is_some();
        self.path.iter().any(is_ours)
    }

    /// What our tables say, if the packet met any.
    #[must_use]
    pub fn ours(&self) -> Option<Verdict> {
        let ours = self.tables.iter().filter(|table| table.ours);
        // The strictest.
        ours.map(|table| table.verdict).max()
    }

    /// Says what the outgoing interface's addresses are, where the packet gets one of them.
    fn name_addresses(&mut self, host: &Host) {
        let out = self.packet.out_interface.as_ref();
        let Some(link) = out.and_then(|name| host.link(name.as_str())) else {
            return;
        };
        if !matches!(self.nat, Nat::Masquerade { .. }) {
            return;
        }
        let is_its = |address: &&palisade_nft::host::Address| {
            address.device == link.index
                && address.address.is_ipv4() == self.packet.source().is_ipv4()
        };
        let its: Vec<String> = host
            .addresses
            .iter()
            .filter(is_its)
            .map(|address| address.address.to_string())
            .collect();
        self.notes.push(match its.as_slice() {
            [] => format!(
                "`{}` has no address to masquerade with: the packet is dropped",
                link.name
            ),
            its => format!(
                "masquerading uses an address of `{}`: {}",
                link.name,
                its.join(", ")
            ),
        });
    }
}

fn notes(packet: &Packet) -> Vec<String> {
    let mut notes = Vec::new();
    if packet.is_forwarded() && packet.in_interface == packet.out_interface {
        notes.push(
            "in and out by one interface: between guests of one subnet, these rules see it only with \
             br_netfilter"
                .to_owned(),
        );
    }
    notes
}

/// What would become of a packet if these networks ran, started in this order, where nothing else
/// stands. No kernel is asked.
///
/// # Errors
/// If the networks cannot run side by side, or there is no such packet.
pub fn explain(
    networks: &[Network],
    choice: &Choice,
    question: &Question,
) -> Result<Explanation, ExplainError> {
    let conflicts = conflicts(networks);
    if !conflicts.is_empty() {
        return Err(RenderError::Conflicts(conflicts).into());
    }
    let resolved = resolve::resolve(question, networks, None)?;
    let ground = planned(networks, choice, resolved.packet.family());
    Ok(Explanation::of(&ground, resolved))
}

/// What networks would have installed.
fn planned(networks: &[Network], choice: &Choice, family: Family) -> Ground {
    let mut ground = Ground::default();
    match choice.backend {
        Some(BackendChoice::None) => {}
        Some(BackendChoice::Iptables) => {
            let tables = palisade_iptables::backend::tables(networks, family);
            ground.saved.push(Saved {
                name: live::word(family).to_owned(),
                tables: iptables::Tables::of(family, &tables),
                is_ours: true,
            });
        }
        Some(BackendChoice::Auto | BackendChoice::Nftables) | None => {
            let settings = choice.settings();
            let placed: Vec<(Layout, &Network)> = networks
                .iter()
                .map(|network| (settings.layout, network))
                .collect();
            ground
                .programs
                .extend(Program::of(&settings.table, family, &placed));
        }
    }
    ground
}
