//! Flows that began while no NAT rule stood, with another table that keeps connection tracking on:
//! once the rules stand they leave with the host's address, and no other flow is cut.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use palisade_tests::probe::{End, Receiver, Stream};
use palisade_tests::{Definition, Namespace, Palisade, Trials, is_in_path};

/// How long a busy machine may take until the first packets arrive.
const BEGINS: Duration = Duration::from_secs(20);
/// By when no packet may leave with a private address any more.
const SOON: Duration = Duration::from_secs(1);
/// How long to look at what leaves: dozens of packets.
const LOOK: Duration = Duration::from_millis(300);

const FAMILIES: [&str; 2] = ["ipv4", "ipv6"];
/// The mark of flows that have been seen.
const MARK: u32 = 7;

const HOST: [&str; 2] = ["192.0.2.1", "2001:db8:a::1"];
const WORLD: [&str; 2] = ["192.0.2.2", "2001:db8:a::2"];
const GUEST: [&str; 2] = ["10.1.0.10", "fd00:1::10"];
/// On a bridge that is no network of ours.
const STRANGER: &str = "10.9.0.10";

/// Where rules are: options of the command.
type Choice = &'static [&'static str];
type Test = fn(Choice);

const NFTABLES: [Choice; 2] = [&["--layout", "mapped"], &["--layout", "flat"]];
const IPTABLES: [Choice; 2] = [
    &["--backend", "iptables", "--iptables", "legacy"],
    &["--backend", "iptables", "--iptables", "nft"],
];

fn main() -> ExitCode {
    let mut trials = Trials::new();
    let everywhere: [(&str, Test); 3] = [
        ("a first apply", first_apply),
        ("a routed network becomes a natted one", replaced),
        ("nothing comes, nothing is cut", nothing_came),
    ];
    let nftables: [(&str, Test); 3] = [
        ("`watch --heal` after a gap", healed),
        ("repair of a table that was deleted", deleted),
        ("repair of a table that was flushed", flushed),
    ];
    let iptables: [(&str, Test); 2] = [
        ("`watch --heal` after a gap", healed),
        ("repair of a chain that was flushed", chain_flushed),
    ];
    for choice in NFTABLES {
        for (name, test) in everywhere.into_iter().chain(nftables) {
            trials = add(trials, choice, name, test, &["conntrack"]);
        }
    }
    for choice in IPTABLES {
        let programs = ["conntrack", "iptables-legacy", "iptables-nft"];
        for (name, test) in everywhere.into_iter().chain(iptables) {
            trials = add(trials, choice, name, test, &programs);
        }
    }
    // They mostly wait.
    palisade_tests::run_side_by_side(trials, 5)
}

fn add(trials: Trials, choice: Choice, name: &str, test: Test, programs: &[&str]) -> Trials {
    let name = format!("{}: {name}", choice.last().unwrap_or(&""));
    match programs.iter().find(|program| !is_in_path(program)) {
        None => trials.with(name, move || test(choice)),
        Some(missing) => {
            let reason = format!("needs `{missing}`: run `cargo xtask setup`");
            trials.without(name, reason)
        }
    }
}

fn first_apply(choice: Choice) {
    let lab = Lab::new();
    let palisade = Palisade::new(&lab.host).with(choice.iter().copied());
    let traffic = Traffic::begin(&lab, 4000);
    traffic.assert_private();
    let before = lab.marked();
    let told = palisade.apply([&natted()]).stdout();
    assert!(told.contains("note: 3 flows"), "{told}");
    traffic.assert_hidden();
    lab.assert_cut_exactly(&before, &traffic);
    // From now on there is nothing to do.
    let before = lab.marked();
    palisade.ok(["repair"]);
    palisade.apply([&natted()]).stdout();
    assert_eq!(lab.flows(), before);
}

fn deleted(choice: Choice) {
    loss(choice, |lab| lose_all(lab, choice));
}

fn flushed(choice: Choice) {
    loss(choice, |lab| {
        lab.host
            .nft("flush table ip palisade; flush table ip6 palisade");
    });
}

fn chain_flushed(choice: Choice) {
    loss(choice, |lab| lose_all(lab, choice));
}

fn loss(choice: Choice, lose: impl FnOnce(&Lab)) {
    let lab = Lab::new();
    let palisade = Palisade::new(&lab.host).with(choice.iter().copied());
    palisade.apply([&natted()]).stdout();
    let early = Traffic::begin(&lab, 4000);
    early.assert_hidden();
    lose(&lab);
    let late = Traffic::begin(&lab, 5000);
    late.assert_private();
    let before = lab.marked();
    palisade.ok(["repair"]);
    late.assert_hidden();
    early.assert_hidden();
    lab.assert_cut_exactly(&before, &late);
}

/// A watch that is held up while flows begin without NAT.
fn healed(choice: Choice) {
    let lab = Lab::new();
    let palisade = Palisade::new(&lab.host).with(choice.iter().copied());
    palisade.apply([&natted()]).stdout();
    let mut command = palisade.command(["watch", "--heal"]);
    command.stdout(Stdio::null());
    let watch = lab
        .host
        .inside(|| command.spawn())
        .expect("start the watch");
    let watch = Watch(watch);
    // It puts back: so it is there.
    lose_all(&lab, choice);
    let begun = Instant::now();
    while palisade.answer(["verify"]).code != Some(0) {
        assert!(begun.elapsed() < BEGINS, "it does not put back");
        sleep(LOOK / 10);
    }
    let early = Traffic::begin(&lab, 4000);
    early.assert_hidden();
    watch.signal(Signal::SIGSTOP);
    lose_all(&lab, choice);
    let late = Traffic::begin(&lab, 5000);
    late.assert_private();
    let before = lab.marked();
    watch.signal(Signal::SIGCONT);
    if choice.contains(&"legacy") {
        // Its tables are looked at every two seconds.
        sleep(2 * SOON);
    }
    late.assert_hidden();
    early.assert_hidden();
    lab.assert_cut_exactly(&before, &late);
}

fn lose_all(lab: &Lab, choice: Choice) {
    if !choice.contains(&"iptables") {
        lab.host
            .nft("delete table ip palisade; delete table ip6 palisade");
        return;
    }
    for program in ["iptables", "ip6tables"] {
        let family = choice.last().copied().unwrap_or_default();
        let mut flush = Command::new(format!("{program}-{family}"));
        flush.args(["-w", "-t", "nat", "-F", "PALISADE_PRT"]);
        lab.host.answer(&mut flush, "").stdout();
    }
}

/// A watch that ends with the test.
struct Watch(Child);

impl Watch {
    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.0.id().cast_signed());
        kill(pid, signal).expect("send a signal");
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn replaced(choice: Choice) {
    let lab = Lab::new();
    let palisade = Palisade::new(&lab.host).with(choice.iter().copied());
    palisade
        .apply([&natted().forwarding("<forward mode='route'/>")])
        .stdout();
    let traffic = Traffic::begin(&lab, 4000);
    traffic.assert_private();
    let before = lab.marked();
    palisade.apply([&natted()]).stdout();
    traffic.assert_hidden();
    lab.assert_cut_exactly(&before, &traffic);
}

/// Networks without NAT, and those for which nothing is installed.
fn nothing_came(choice: Choice) {
    let lab = Lab::new();
    let palisade = Palisade::new(&lab.host).with(choice.iter().copied());
    let traffic = Traffic::begin(&lab, 4000);
    traffic.assert_private();
    let before = lab.marked();
    let route = natted().forwarding("<forward mode='route'/>");
    let other = Definition::nat("other", "virbr7", &["10.7.0.1/24"]);
    palisade.apply([&route, &other]).stdout();
    palisade.ok(["repair"]);
    palisade.ok(["remove", "--all"]);
    let none = Palisade::new(&lab.host).with(["--backend", "none"]);
    none.apply([&natted()]).stdout();
    traffic.assert_private();
    assert_eq!(lab.flows(), before);
}

fn natted() -> Definition {
    Definition::nat("net1", "virbr1", &["10.1.0.1/24", "fd00:1::1/64"])
        .forwarding("<forward mode='nat'><nat ipv6='yes'/></forward>")
}

/// ```text
///   world ---- wan0 [ host ] virbr1 ---- guest
///                   [      ] br9 ---- stranger
/// ```
struct Lab {
    host: Namespace,
    world: Namespace,
    guest: Namespace,
    stranger: Namespace,
}

impl Lab {
    fn new() -> Self {
        let [host, world, guest, stranger] = std::array::from_fn(|_| Namespace::new());
        host.sysctl("ipv4/ip_forward", "1");
        host.sysctl("ipv6/conf/all/forwarding", "1");
        host.bridges(["virbr1", "br9"]);
        host.cable("wan0", &world, "eth0");
        host.cable("port1", &guest, "eth0");
        host.cable("port9", &stranger, "eth0");
        host.ip("link set port1 master virbr1\n\
                 link set port9 master br9\n\
                 addr add 192.0.2.1/24 dev wan0\n\
                 addr add 2001:db8:a::1/64 dev wan0 nodad\n\
                 addr add 10.1.0.1/24 dev virbr1\n\
                 addr add fd00:1::1/64 dev virbr1 nodad\n\
                 addr add 10.9.0.1/24 dev br9");
        // The world knows the way to private addresses, so that what leaves with one is answered.
        world.ip("addr add 192.0.2.2/24 dev eth0\n\
                  addr add 2001:db8:a::2/64 dev eth0 nodad\n\
                  route add default via 192.0.2.1\n\
                  route add ::/0 via 2001:db8:a::1");
        guest.ip("addr add 10.1.0.10/24 dev eth0\n\
                  addr add fd00:1::10/64 dev eth0 nodad\n\
                  route add default via 10.1.0.1\n\
                  route add ::/0 via fd00:1::1");
        stranger.ip("addr add 10.9.0.10/24 dev eth0\n\
                     route add default via 10.9.0.1");
        host.nft(
            "table inet other {\n\
               chain forward {\n\
                 type filter hook forward priority -10\n\
                 ct state new accept\n\
               }\n\
             }",
        );
        Self {
            host,
            world,
            guest,
            stranger,
        }
    }

    /// All flows, each with a mark from now on, so that none that ends and begins anew passes for
    /// the one before: the kernel's number for it is made of its ends and its place in memory.
    fn marked(&self) -> BTreeMap<Ends, Known> {
        for family in FAMILIES {
            self.conntrack(&["-U", "-p", "udp", "-f", family, "-m", &MARK.to_string()]);
        }
        let flows = self.flows();
        assert!(
            flows.values().all(|known| known.mark == MARK),
            "not all are marked: {flows:#?}"
        );
        flows
    }

    fn flows(&self) -> BTreeMap<Ends, Known> {
        let mut flows = BTreeMap::new();
        for family in FAMILIES {
            let list = self.conntrack(&["-L", "-p", "udp", "-f", family, "-o", "id"]);
            for line in list.lines() {
                let (ends, known) = flow(line).unwrap_or_else(|| panic!("no flow: {line}"));
                assert_eq!(flows.insert(ends, known), None, "twice: {line}");
            }
        }
        flows
    }

    fn conntrack(&self, args: &[&str]) -> String {
        let mut conntrack = Command::new("conntrack");
        self.host.answer(conntrack.args(args), "").stdout()
    }

    /// Of the flows before, those that left untranslated have begun anew, and no other.
    #[track_caller]
    fn assert_cut_exactly(&self, before: &BTreeMap<Ends, Known>, traffic: &Traffic) {
        let after = self.flows();
        for (ends, known) in before {
            let now = after.get(ends).expect("each flow goes on");
            if traffic.leaves(ends) {
                assert_eq!(now.mark, 0, "{ends:?} was not cut");
            } else {
                assert_eq!(now, known, "{ends:?} was cut");
            }
        }
        let streams = traffic.leaving.len() + traffic.others.len();
        assert!(before.len() >= streams, "{before:#?}");
        let left = before.keys().filter(|ends| traffic.leaves(ends));
        assert_eq!(left.count(), traffic.leaving.len(), "{before:#?}");
    }
}

/// The ends of a flow, as its first packet came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ends {
    source: SocketAddr,
    destination: SocketAddr,
}

/// What tells a flow from one that came after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    id: u64,
    mark: u32,
}

/// From `udp 17 29 src=ADDRESS dst=ADDRESS sport=PORT dport=PORT src=... mark=0 use=1 id=NUMBER`.
fn flow(line: &str) -> Option<(Ends, Known)> {
    // The first of each name is the original direction's.
    let value = |name: &str| {
        line.split_whitespace()
            .find_map(|word| word.strip_prefix(name))
    };
    let end = |address, port| {
        let address: IpAddr = value(address)?.parse().ok()?;
        Some(SocketAddr::new(address, value(port)?.parse().ok()?))
    };
    let ends = Ends {
        source: end("src=", "sport=")?,
        destination: end("dst=", "dport=")?,
    };
    let known = Known {
        id: value("id=")?.parse().ok()?,
        mark: value("mark=")?.parse().ok()?,
    };
    Some((ends, known))
}

/// Datagrams that are sent all the while, each stream a flow.
struct Traffic {
    /// From the guest to the world, and the host's address that they shall leave with.
    leaving: Vec<(Stream, &'static str)>,
    /// Those that no NAT rule is for.
    others: Vec<Stream>,
}

impl Traffic {
    /// Streams with ports from this one on.
    fn begin(lab: &Lab, port: u16) -> Self {
        let mut ports = port..;
        let mut begin = |from: (&Namespace, &str), to: (&Namespace, &str), receiver| {
            let port = ports.next().expect("a port");
            let end = |(namespace, address)| End::new(namespace, address_of(address)).at(port);
            Stream::begin(&end(from), &end(to), receiver)
        };
        let [guest4, guest6] = GUEST.map(|address| (&lab.guest, address));
        let [world4, world6] = WORLD.map(|address| (&lab.world, address));
        let [host4, bridge] = [HOST[0], "10.1.0.1"].map(|address| (&lab.host, address));
        let traffic = Self {
            leaving: vec![
                (begin(guest4, world4, Receiver::Answers), HOST[0]),
                (begin(guest6, world6, Receiver::Answers), HOST[1]),
                // A flow that is never answered: all its packets are new ones.
                (begin(guest4, world4, Receiver::Listens), HOST[0]),
            ],
            others: vec![
                begin((&lab.stranger, STRANGER), world4, Receiver::Answers),
                begin(host4, world4, Receiver::Answers),
                begin(guest4, host4, Receiver::Answers),
                begin(guest4, bridge, Receiver::Answers),
            ],
        };
        traffic.assert_flowing();
        traffic
    }

    /// Something of each has arrived: on a busy machine the first look for a neighbour takes long.
    fn assert_flowing(&self) {
        let begun = Instant::now();
        let leaving = self.leaving.iter().map(|(stream, _)| stream);
        for stream in leaving.chain(&self.others) {
            while stream.sources_since(begun).is_empty() {
                let waited = begun.elapsed();
                assert!(waited < BEGINS, "nothing arrives from {}", stream.sender);
                sleep(LOOK / 10);
            }
        }
    }

    /// All leave with their own addresses: they began in a gap.
    #[track_caller]
    fn assert_private(&self) {
        let from = Instant::now();
        sleep(LOOK);
        for (stream, _) in &self.leaving {
            assert_source(stream, from, stream.sender.ip());
        }
        self.assert_others(from);
    }

    /// Soon, and from then on, all leave with the host's address.
    #[track_caller]
    fn assert_hidden(&self) {
        sleep(SOON);
        let from = Instant::now();
        sleep(LOOK);
        for (stream, host) in &self.leaving {
            assert_source(stream, from, address_of(host));
        }
        self.assert_others(from);
    }

    #[track_caller]
    fn assert_others(&self, from: Instant) {
        for stream in &self.others {
            assert_source(stream, from, stream.sender.ip());
        }
    }

    /// Whether these are the ends of a flow from the guest to the world.
    fn leaves(&self, ends: &Ends) -> bool {
        let mut senders = self.leaving.iter().map(|(stream, _)| stream.sender);
        senders.any(|sender| sender == ends.source)
    }
}

/// Datagrams arrive, and all of them from this address.
#[track_caller]
fn assert_source(stream: &Stream, from: Instant, expected: IpAddr) {
    let sources: Vec<IpAddr> = stream.sources_since(from).into_iter().collect();
    assert_eq!(sources, [expected], "from {}", stream.sender);
}

fn address_of(text: &str) -> IpAddr {
    text.parse().expect("an address")
}
