//! Who asks whom, from which address, by which means.

use std::collections::HashMap;
use std::net::IpAddr;

use palisade_core::network::Family;

use crate::means::Means;
use crate::member::Member;
use crate::worlds::WORLDS;

/// Groups that are never forwarded.
const ON_LINK: [&str; 2] = ["224.0.0.251", "ff02::fb"];
/// The first port that anybody asks from. Below 1024, so that what is translated must change it.
const FIRST_PORT: u16 = 100;

/// Who asks or answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Who {
    World(usize),
    /// A network's number, and which of its guests.
    Guest(usize, usize),
    Host,
}

#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) from: Who,
    pub(crate) source: IpAddr,
    /// None where the means have no ports.
    pub(crate) source_port: Option<u16>,
    /// The source is not the sender's own: whatever is answered does not come back.
    pub(crate) is_lie: bool,
    pub(crate) to: Who,
    pub(crate) destination: IpAddr,
    pub(crate) means: Means,
}

impl Who {
    /// The host's device towards it; none for the host itself.
    pub(crate) fn device(self) -> Option<String> {
        match self {
            Self::World(number) => Some(WORLDS[number].0.to_owned()),
            Self::Guest(network, _) => Some(format!("virbr{network}")),
            Self::Host => None,
        }
    }

    /// The groups that only it listens to, of those that are forwarded.
    fn groups(self) -> [IpAddr; 2] {
        let number = match self {
            Self::World(number) => 1 + number,
            Self::Guest(network, _) => 11 + network,
            Self::Host => 250,
        };
        [format!("239.255.0.{number}"), format!("ff0e::1:{number}")].map(|text| address(&text))
    }
}

impl Question {
    /// The device that it is heard by, where that matters.
    pub(crate) fn listening_device(&self) -> Option<String> {
        let device = match self.to {
            Who::Host => self.from.device(),
            Who::World(_) | Who::Guest(..) => Some("eth0".to_owned()),
        };
        device.filter(|_| self.means == Means::ToAll)
    }

    /// The device that it is sent by, where that matters.
    pub(crate) fn sending_device(&self) -> Option<String> {
        let device = match self.from {
            Who::Host => self.to.device(),
            Who::World(_) | Who::Guest(..) => Some("eth0".to_owned()),
        };
        device.filter(|_| self.means == Means::ToAll)
    }
}

/// All of them.
pub(crate) fn all(members: &[Member]) -> Vec<Question> {
    let mut asking = Asking {
        members,
        questions: Vec::new(),
        ports: HashMap::new(),
    };
    for sender in senders(members) {
        asking.ask_each(sender);
        asking.ask_all(sender);
    }
    for member in members {
        asking.by_the_host(member);
    }
    asking.questions
}

/// Somebody with one of the addresses that it sends from.
#[derive(Clone, Copy)]
struct Sender {
    who: Who,
    source: IpAddr,
    is_lie: bool,
}

fn senders(members: &[Member]) -> Vec<Sender> {
    let mut senders = Vec::new();
    let mut add = |who, sources: [IpAddr; 2], is_lie| {
        senders.extend(sources.map(|source| Sender {
            who,
            source,
            is_lie,
        }));
    };
    for (number, (_, _, there)) in WORLDS.iter().enumerate() {
        add(Who::World(number), there.map(address), false);
    }
    for member in members {
        let first = Who::Guest(member.number, 0);
        add(first, member.guest(0), false);
        add(first, made_up(member), true);
        if let Some(stolen) = stolen(members, member) {
            add(first, stolen, true);
        }
        if has_another_subnet(member) {
            add(Who::Guest(member.number, 1), member.guest(1), false);
        }
    }
    senders
}

/// Sources that a network's first guest makes up: nobody knows the way there.
pub(crate) fn made_up(member: &Member) -> [IpAddr; 2] {
    let number = 10 + member.number;
    [
        format!("172.31.0.{number}"),
        format!("2001:db8:dead::{number}"),
    ]
    .map(|text| address(&text))
}

/// Sources that a network's first guest takes from the next network.
pub(crate) fn stolen(members: &[Member], member: &Member) -> Option<[IpAddr; 2]> {
    let next = &members[(member.number + 1) % members.len()];
    (next.number != member.number).then(|| next.unused())
}

/// Whether the second guest is in a subnet of its own.
fn has_another_subnet(member: &Member) -> bool {
    let differs = |family| member.gateway_of(0, family) != member.gateway_of(1, family);
    Family::BOTH.into_iter().any(differs)
}

struct Asking<'a> {
    members: &'a [Member],
    questions: Vec<Question>,
    /// The next port that each asks from.
    ports: HashMap<Who, u16>,
}

impl Asking<'_> {
    fn add(&mut self, sender: Sender, (to, destination): (Who, IpAddr), means: Means) {
        if sender.source.is_ipv4() != destination.is_ipv4() {
            return;
        }
        let port = self.ports.entry(sender.who).or_insert(FIRST_PORT);
        self.questions.push(Question {
            from: sender.who,
            source: sender.source,
            source_port: means.has_ports().then_some(*port),
            is_lie: sender.is_lie,
            to,
            destination,
            means,
        });
        *port += 1;
        assert!(*port < 1024, "{:?} asks too much", sender.who);
    }

    /// From each to each other one, and to the host.
    fn ask_each(&mut self, sender: Sender) {
        let means: &[Means] = if sender.is_lie {
            &[Means::Udp]
        } else {
            &Means::ANSWERED
        };
        for receiver in self.receivers(sender.who) {
            for &means in means {
                self.add(sender, receiver, means);
            }
        }
    }

    fn receivers(&self, sender: Who) -> Vec<(Who, IpAddr)> {
        let mut receivers = Vec::new();
        let mut add = |who, addresses: [IpAddr; 2]| {
            receivers.extend(addresses.map(|address| (who, address)));
        };
        for (number, (_, here, there)) in WORLDS.iter().enumerate() {
            add(Who::World(number), there.map(address));
            add(Who::Host, here.map(address));
        }
        for member in self.members {
            add(Who::Guest(member.number, 1), member.guest(1));
            if sender == Who::Guest(member.number, 0) {
                let gateway = |family| member.gateway_of(0, family).addr();
                add(Who::Host, Family::BOTH.map(gateway));
            }
        }
        receivers.retain(|(who, _)| *who != sender);
        receivers
    }

    /// To the host on the same link, and to all links behind the host.
    fn ask_all(&mut self, sender: Sender) {
        let broadcast = IpAddr::from(std::net::Ipv4Addr::BROADCAST);
        for group in ON_LINK.map(address).into_iter().chain([broadcast]) {
            self.add(sender, (Who::Host, group), Means::ToAll);
        }
        for number in 0..WORLDS.len() {
            let world = Who::World(number);
            if world != sender.who {
                self.ask_groups(sender, world);
            }
        }
        let members = self.members.iter();
        for member in members.filter(|member| Some(member.bridge()) != sender.who.device()) {
            let guest = Who::Guest(member.number, 1);
            self.ask_groups(sender, guest);
            let broadcast = member.gateway_of(1, Family::Ipv4).broadcast();
            self.add(sender, (guest, broadcast), Means::ToAll);
        }
    }

    fn ask_groups(&mut self, sender: Sender, to: Who) {
        for group in to.groups() {
            self.add(sender, (to, group), Means::ToAll);
        }
    }

    /// From the host's addresses on a network's bridge.
    fn by_the_host(&mut self, member: &Member) {
        let next = &self.members[(member.number + 1) % self.members.len()];
        let mut receivers = Vec::new();
        for (number, (_, _, there)) in WORLDS.iter().enumerate() {
            receivers.push((Who::World(number), there.map(address)));
        }
        for member in [member, next] {
            receivers.push((Who::Guest(member.number, 1), member.guest(1)));
        }
        receivers.dedup();
        let guest = Who::Guest(member.number, 1);
        let on_link = member.gateway_of(1, Family::Ipv4).broadcast();
        let broadcast = IpAddr::from(std::net::Ipv4Addr::BROADCAST);
        for gateway in &member.gateways {
            let sender = Sender {
                who: Who::Host,
                source: gateway.addr(),
                is_lie: false,
            };
            for &(to, addresses) in &receivers {
                for (destination, means) in addresses
                    .into_iter()
                    .flat_map(|address| Means::ANSWERED.map(|means| (address, means)))
                {
                    self.add(sender, (to, destination), means);
                }
            }
            for group in ON_LINK.map(address) {
                self.add(sender, (guest, group), Means::ToAll);
            }
            for broadcast in [broadcast, on_link] {
                self.add(sender, (guest, broadcast), Means::ToAll);
            }
            self.ask_groups(sender, guest);
        }
    }
}

/// An address of the lab.
pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}
