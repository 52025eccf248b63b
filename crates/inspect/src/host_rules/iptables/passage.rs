//! How packets are let through tables of iptables.

use palisade_core::owner::Owner;

use crate::host_rules::group::Passage;
use crate::shell::word;

/// Docker's chain for the rules of others.
pub(super) const DOCKER_USER: &str = "DOCKER-USER";

/// The command that lets packets pass a chain of the kernel.
pub(super) fn allow(owner: &Owner, program: &str, chain: &str, passage: Passage<'_>) -> String {
    let bridge = word(passage.bridge.as_str());
    let packet = passage.packet;
    match (owner, packet.service()) {
        (Owner::Ufw, Some((protocol, port))) => {
            format!("ufw allow in on {bridge} to any port {port} proto {protocol}")
        }
        (Owner::Ufw, None) => {
            let side = if packet.comes_in() { "out" } else { "in" };
            format!("ufw route allow {side} on {bridge}")
        }
        (_, Some((protocol, port))) => {
            let chain = word(chain);
            format!("{program} -I {chain} -i {bridge} -p {protocol} --dport {port} -j ACCEPT")
        }
        (_, None) => {
            // Docker inserts its jump above all others whenever it starts, and keeps the rules of
            // this chain.
            let chain = match (owner, chain) {
                (Owner::Docker, "FORWARD") => DOCKER_USER.to_owned(),
                _ => word(chain),
            };
            let side = if packet.comes_in() { "-o" } else { "-i" };
            let established = if packet.known_flow {
                " -m conntrack --ctstate RELATED,ESTABLISHED"
            } else {
                ""
            };
            format!("{program} -I {chain} {side} {bridge}{established} -j ACCEPT")
        }
    }
}

/// How such a command is kept.
pub(super) fn advice(owner: &Owner) -> &'static str {
    match owner {
        Owner::Docker => {
            "Docker sets the policy of FORWARD to DROP, and leaves chain DOCKER-USER to others"
        }
        Owner::Ufw => "ufw keeps it in its own files",
        _ => "To keep it over a reboot: iptables-save, as netfilter-persistent does",
    }
}
