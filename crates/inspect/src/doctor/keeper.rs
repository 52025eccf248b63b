//! Who keeps rules that stop packets, and how one tells them to let packets pass.

use palisade_core::network::InterfaceName;
use palisade_core::owner::Owner;
use palisade_iptables::backend::Saved;
use palisade_nft::owner;
use palisade_nft::program::Program;

use super::mend::word;
use super::packets::Wanted;

/// Docker's chain for the rules of others.
const DOCKER_USER: &str = "DOCKER-USER";
/// How the names of tables begin that see frames.
const BRIDGE: &str = "bridge ";
const NETDEV: &str = "netdev ";
/// Where firewalld looks for zones.
const ZONES: [&str; 2] = ["/etc/firewalld/zones", "/usr/lib/firewalld/zones"];

/// Who keeps a table, and so whose words the mend is in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Keeper {
    /// A table of nf_tables with nobody in particular behind it: `inet filter`.
    Nft {
        /// Family and name.
        table: String,
    },
    /// firewalld, which takes back what others change in its table.
    Firewalld,
    /// Tables of iptables.
    Iptables {
        /// `iptables-legacy`, `ip6tables-nft` and so on.
        program: String,
        /// Whether the chain is there that Docker leaves to others.
        has_docker_user: bool,
    },
    /// ufw, which makes its chains anew by its own files.
    Ufw {
        /// The program that lists them.
        program: String,
    },
}

/// What shall pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passage<'a> {
    pub(super) bridge: &'a InterfaceName,
    pub(super) wanted: Wanted,
    /// The ports of the bridge.
    pub(super) ports: &'a [String],
}

impl Keeper {
    pub(super) fn of_table(program: &Program) -> Self {
        match owner::of_table(&program.table) {
            Owner::Firewalld => Self::Firewalld,
            _ => Self::Nft {
                table: format!("{} {}", program.table.family, program.table.name),
            },
        }
    }

    pub(super) fn of_saved(saved: &Saved) -> Self {
        let filter = saved.tables.iter().find(|table| table.name == "filter");
        let has = |is_it: fn(&str) -> bool| {
            filter.is_some_and(|table| table.chains.iter().any(|chain| is_it(&chain.name)))
        };
        let program = saved.program.clone();
        if has(|name| Owner::of_chain(name) == Owner::Ufw) {
            Self::Ufw { program }
        } else {
            Self::Iptables {
                program,
                has_docker_user: has(|name| name == DOCKER_USER),
            }
        }
    }

    /// Whether its rules see frames, on bridges and devices.
    pub(super) fn is_of_frames(&self) -> bool {
        let is_of = |family: &str| matches!(self, Self::Nft { table } if table.starts_with(family));
        is_of(BRIDGE) || is_of(NETDEV)
    }

    /// Who that is, in evidence.
    pub(super) fn program(&self) -> &str {
        match self {
            Self::Nft { .. } => "nftables",
            Self::Firewalld => "firewalld",
            Self::Iptables { program, .. } | Self::Ufw { program } => program,
        }
    }

    /// The policy that drops, in evidence.
    pub(super) fn drop_policy(&self) -> &'static str {
        match self {
            Self::Nft { .. } | Self::Firewalld => "drop",
            Self::Iptables { .. } | Self::Ufw { .. } => "DROP",
        }
    }

    /// Commands that let it pass, where `chain` is the base chain that stops it.
    pub(super) fn lets_pass(&self, chain: &str, passage: Passage<'_>) -> Vec<String> {
        let bridge = word(passage.bridge.as_str());
        let wanted = passage.wanted;
        match (self, wanted.service()) {
            (Self::Firewalld, _) => vec![format!(
                "firewall-cmd --zone={} --add-interface={bridge}",
                zone()
            )],
            (Self::Ufw { .. }, Some((protocol, port))) => vec![format!(
                "ufw allow in on {bridge} to any port {port} proto {protocol}"
            )],
            (Self::Ufw { .. }, None) => {
                let way = if wanted.comes_in() { "out" } else { "in" };
                vec![format!("ufw route allow {way} on {bridge}")]
            }
            // No name of an interface tells whose packets these are: somebody has to look.
            (Self::Nft { table }, _)
                if table.starts_with(NETDEV)
                    || table.starts_with(BRIDGE) && passage.ports.is_empty() =>
            {
                vec![format!("nft -a list chain {table} {}", word(chain))]
            }
            (Self::Nft { table }, service) if table.starts_with(BRIDGE) => {
                // Not every kernel knows the bridge there (`meta ibrname`), but its ports.
                let ports: Vec<String> = passage.ports.iter().map(|port| word(port)).collect();
                let way = if wanted.comes_in() {
                    "oifname"
                } else {
                    "iifname"
                };
                let which = match ports.as_slice() {
                    [port] => format!("{way} {port}"),
                    ports => format!("{way} \\{{ {} \\}}", ports.join(", ")),
                };
                let port = service.map_or_else(String::new, |(protocol, port)| {
                    format!(" {protocol} dport {port}")
                });
                vec![format!(
                    "nft insert rule {table} {} {which}{port} accept",
                    word(chain)
                )]
            }
            (Self::Nft { table }, Some((protocol, port))) => vec![format!(
                "nft insert rule {table} {} iifname {bridge} {protocol} dport {port} accept",
                word(chain)
            )],
            (Self::Nft { table }, None) => {
                let way = if wanted.comes_in() {
                    "oifname"
                } else {
                    "iifname"
                };
                let established = if wanted.known_flow {
                    " ct state established,related"
                } else {
                    ""
                };
                vec![format!(
                    "nft insert rule {table} {} {way} {bridge}{established} accept",
                    word(chain)
                )]
            }
            (Self::Iptables { program, .. }, Some((protocol, port))) => vec![format!(
                "{program} -I {chain} -i {bridge} -p {protocol} --dport {port} -j ACCEPT",
                chain = word(chain)
            )],
            (
                Self::Iptables {
                    program,
                    has_docker_user,
                },
                None,
            ) => {
                // Docker puts its jump above all others anew whenever it starts; what stands in
                // this chain stays.
                let chain = match (has_docker_user, chain) {
                    (true, "FORWARD") => DOCKER_USER.to_owned(),
                    _ => word(chain),
                };
                let way = if wanted.comes_in() { "-o" } else { "-i" };
                let established = if wanted.known_flow {
                    " -m conntrack --ctstate RELATED,ESTABLISHED"
                } else {
                    ""
                };
                vec![format!(
                    "{program} -I {chain} {way} {bridge}{established} -j ACCEPT"
                )]
            }
        }
    }

    /// What else is to be known of it.
    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::Nft { table } if table.starts_with(BRIDGE) => {
                "Rules of bridges see ports: those of guests that start later need the same. To keep \
                 it over a reboot, put the rule into the file that the table comes from"
            }
            Self::Nft { table } if table.starts_with(NETDEV) => {
                "It sees the packets of one device, before all rules of networks: the rule has to be \
                 changed where it comes from"
            }
            Self::Nft { .. } => {
                "To keep it over a reboot, put the rule into the file that the table comes from, \
                 such as /etc/nftables.conf"
            }
            Self::Firewalld => {
                "To keep it over a reload: firewall-cmd --runtime-to-permanent. A network's \
                 definition can name the zone (bridge zone=...), for whoever brings the bridge up"
            }
            Self::Iptables {
                has_docker_user: true,
                ..
            } => {
                "Docker sets the policy of FORWARD to DROP, and leaves chain DOCKER-USER to others"
            }
            Self::Iptables { .. } => {
                "To keep it over a reboot: iptables-save, as netfilter-persistent does"
            }
            Self::Ufw { .. } => "ufw keeps it in its own files",
        }
    }
}

/// The zone that is made for guests, where there is one; else the one that takes everything.
fn zone() -> &'static str {
    const GUESTS: &str = "libvirt";
    let is_there = |folder: &str| {
        std::path::Path::new(folder)
            .join(format!("{GUESTS}.xml"))
            .exists()
    };
    if ZONES.iter().any(|folder| is_there(folder)) {
        GUESTS
    } else {
        "trusted"
    }
}
