//! Known flows accepted first, where somebody chose so: what of real packets is counted then, and
//! that the choice comes, stays and goes with its network.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use palisade_tests::probe::Outcome;
use palisade_tests::{Definition, Dump, Namespace, Palisade, Trials};
use serde_json::Value;

use crate::site::Site;
use palisade_tests::place::{Place, assert_clean, net, routed};

const FIRST: [&str; 2] = ["--established", "first"];
const IN_TURN: [&str; 2] = ["--established", "in-turn"];

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::ALL {
        let name = |what: &str| format!("{place:?}: known flows first: {what}");
        trials = trials
            .with(name("what is counted"), move || counted(place))
            .with(name("chosen for one that runs"), move || chosen(place))
            .with(name("a stricter network ends them"), move || {
                stricter(place);
            });
    }
    trials
        .with("known flows first: one of two goes", one_goes)
        .with("known flows first: what is missing is mended", mended)
        .with("known flows first: configured for new ones", configured)
}

/// Packets of known flows still pass and are still told apart from others; in `mapped`, nothing of
/// the network counts them.
fn counted(place: Place) {
    let site = Site::new();
    let palisade = place.palisade(&site.host).with(FIRST);
    palisade.apply([&net(1), &net(2)]).stdout();
    site.ask(3);
    assert_eq!(site.intrude(), Outcome::Refused);
    let told = show(&palisade, "net1");
    let standing = told["installed"].as_array().expect("what stands");
    let of_ipv4 = |purpose: &str| {
        let its = standing
            .iter()
            .filter(|s| s["family"] == "ipv4" && s["purpose"] == purpose);
        its.map(|s| s["counter"]["packets"].clone())
            .collect::<Vec<_>>()
    };
    let known = |count: u64| match place {
        Place::Mapped => vec![Value::Null],
        _ => vec![count.into()],
    };
    assert_eq!(of_ipv4("out"), [3], "first packets: {told:#}");
    assert_eq!(of_ipv4("in"), [0], "no answer gets there: {told:#}");
    assert_eq!(of_ipv4("established in"), known(3), "{told:#}");
    assert_eq!(of_ipv4("refuse in"), [1], "{told:#}");
    assert_eq!(told["established"], "first");
    let text = palisade.ok(["show", "net1"]);
    let said = match place {
        Place::Mapped => "known ones are accepted first, and not counted\n",
        _ => "known ones are accepted first\n",
    };
    assert!(text.contains(said), "{text}");
    // The second packet of a flow that leaves.
    Flow::begin(&site).is_answered();
    let after = show(&palisade, "net1");
    let out = |told: &Value, purpose: &str| {
        let counters = told["counters"].as_array().expect("counters").clone();
        let of_ipv4 = counters.into_iter().find(|one| one["family"] == "ipv4");
        let all = of_ipv4.expect("counters of IPv4")["counters"].clone();
        let all = all.as_array().expect("an array").clone();
        let one = all.into_iter().find(|one| one["purpose"] == purpose);
        one.map(|one| one["packets"].as_u64().expect("packets"))
    };
    let (began, all) = (1, 2);
    let more = |purpose| {
        out(&after, purpose)
            .zip(out(&told, purpose))
            .map(|(b, a)| b - a)
    };
    match place {
        Place::Mapped => assert_eq!((more("out"), more("in")), (Some(began), Some(0))),
        _ => assert_eq!((more("out"), more("in")), (Some(all), Some(all))),
    }
    assert_clean(&palisade);
}

/// An explicit choice moves a network that runs, in one replacement; none leaves it, and so does
/// the same.
fn chosen(place: Place) {
    let site = Site::new();
    let palisade = place.palisade(&site.host);
    let first = place.palisade(&site.host).with(FIRST).sharing(&palisade);
    let in_turn = place.palisade(&site.host).with(IN_TURN).sharing(&palisade);
    palisade.apply([&net(1), &net(2)]).stdout();
    let before = place.standing(&site.host);

    let replaced = |palisade: &Palisade<'_>, change: &[&str]| {
        let mut command = vec!["--format", "json", "plan"];
        let files = palisade.files([&net(1)]);
        command.push(files[0].to_str().expect("a path"));
        let text = palisade.answer(command).stdout;
        let planned: Value = serde_json::from_str(&text).expect("JSON");
        let changes = planned["changes"].as_array().expect("changes").clone();
        let actions: Vec<_> = changes.iter().map(|c| c["action"].clone()).collect();
        assert_eq!(actions, change, "{text}");
        palisade.apply([&net(1)]).stdout();
        assert_clean(palisade);
    };
    replaced(&in_turn, &[]);
    replaced(&first, &["replace"]);
    replaced(&first, &[]);
    replaced(&palisade, &[]);
    assert_eq!(show(&palisade, "net1")["established"], "first");
    assert_eq!(show(&palisade, "net2")["established"], "in-turn");
    site.ask(1);
    // Who moves on takes it along.
    let (there, back) = match place {
        Place::Flat => (Place::Mapped, place),
        _ => (Place::Flat, place),
    };
    for other in [there, back] {
        palisade.ok(other.migration());
        assert_eq!(show(&palisade, "net1")["established"], "first");
        assert_clean(&palisade);
    }
    replaced(&in_turn, &["replace"]);
    let after = place.standing(&site.host);
    assert_eq!(
        after.matches("established").count(),
        before.matches("established").count()
    );
}

/// A network that forwards nothing any more has no rules that accept, and a flow that was known is
/// refused.
fn stricter(place: Place) {
    let site = Site::new();
    let palisade = place.palisade(&site.host).with(FIRST);
    palisade.apply([&net(1)]).stdout();
    let flow = Flow::begin(&site);
    flow.is_answered();
    let isolated = Definition::isolated("net1", "virbr1", &["10.1.0.1/24"]);
    palisade.apply([&isolated]).stdout();
    assert!(!flow.arrives());
    assert_clean(&palisade);
}

/// What the other needs stays; with the last, all of it goes.
fn one_goes() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host).with(FIRST);
    palisade.apply([&net(1), &routed(2)]).stdout();
    let both = sets(&site, "established_in");
    assert!(both.contains("virbr1") && both.contains("virbr2"), "{both}");
    assert!(sets(&site, "established_out").contains("virbr1"));
    palisade.ok(["remove", "net1"]);
    let one = sets(&site, "established_in");
    assert!(!one.contains("virbr1") && one.contains("virbr2"), "{one}");
    assert_eq!(sets(&site, "established_out"), "");
    assert_clean(&palisade);
    palisade.apply([&net(1)]).stdout();
    site.ask(1);
    palisade.ok(["remove", "net2"]);
    assert_eq!(sets(&site, "established_in").matches("virbr1").count(), 2);
    site.ask(1);
    assert_clean(&palisade);
    let in_turn = Place::Mapped.palisade(&site.host).with(IN_TURN);
    in_turn.sharing(&palisade).apply([&net(1)]).stdout();
    assert_eq!(sets(&site, "established"), "");
    site.ask(1);
    assert_clean(&palisade);
}

fn mended() {
    let site = Site::new();
    let palisade = Place::Mapped.palisade(&site.host).with(FIRST);
    palisade.apply([&net(1), &net(2)]).stdout();
    let whole = sets(&site, "established");
    site.host
        .nft("delete element ip palisade established_out { \"virbr1\" }");
    site.host
        .nft("delete element ip6 palisade established_in { \"virbr2\" }");
    let verified = palisade.answer(["--format", "json", "verify"]);
    assert_eq!(verified.code, Some(3), "{verified}");
    let told: Value = serde_json::from_str(&verified.stdout).expect("JSON");
    let differences = told["differences"].as_array().expect("differences");
    let missing: Vec<_> = differences
        .iter()
        .map(|d| (d["network"].as_str(), d["kind"].as_str()))
        .collect();
    let of = |name| (Some(name), Some("missing"));
    assert_eq!(missing, [of("net1"), of("net2")], "{told:#}");
    let text = palisade.ok(["show", "net1"]);
    let said = "known ones are not all accepted first, since what does so is missing\n";
    assert!(text.contains(said), "{text}");
    palisade.ok(["repair"]);
    assert_clean(&palisade);
    assert_eq!(sets(&site, "established"), whole);
    // A rule that asks for them too.
    let rules = site.host.answer(
        std::process::Command::new("nft").args([
            "-a",
            "list",
            "chain",
            "ip",
            "palisade",
            "guest_receives",
        ]),
        "",
    );
    let rules = rules.stdout();
    let rule = rules.lines().find(|line| line.contains("@established_in"));
    let handle = rule.and_then(|rule| rule.rsplit_once(' ')).expect("a rule");
    site.host.nft(&format!(
        "delete rule ip palisade guest_receives handle {}",
        handle.1
    ));
    assert_eq!(palisade.answer(["verify"]).code, Some(3));
    palisade.ok(["repair"]);
    assert_clean(&palisade);
    site.ask(1);
    assert_eq!(
        show(&palisade, "net1")["counters"][0]["counters"][1]["packets"],
        0
    );
}

/// What is configured says nothing of networks that run.
fn configured() {
    let site = Site::new();
    let palisade = Palisade::new(&site.host);
    palisade.apply([&net(1)]).stdout();
    let file = palisade.state().with_file_name("palisade.toml");
    std::fs::write(&file, "established = \"first\"\n").expect("write the configuration");
    let by_file = Palisade::new(&site.host).sharing(&palisade);
    let by_file = by_file.with(["--config", file.to_str().expect("a path")]);
    by_file.apply([&net(1), &net(2)]).stdout();
    assert_eq!(show(&palisade, "net1")["established"], "in-turn");
    assert_eq!(show(&palisade, "net2")["established"], "first");
    assert!(by_file.render([&net(1)]).contains("@established_in accept"));
    assert!(!palisade.render([&net(1)]).contains("@established_in"));
    assert_clean(&palisade);
}

/// The sets of a table of IPv4 and of IPv6 whose names begin so.
fn sets(site: &Site, name: &str) -> String {
    let tables = ["ip", "ip6"].map(|family| Dump::table(&site.host, family, "palisade"));
    let text: Vec<String> = tables.iter().flatten().map(ToString::to_string).collect();
    let text = text.join("\n");
    let begins = format!("set {name}");
    // Each ends with a brace of its own line.
    let blocks = text.split("\t}\n").map(str::trim_start);
    blocks.filter(|block| block.contains(&begins)).collect()
}

fn show(palisade: &Palisade<'_>, name: &str) -> Value {
    let text = palisade.ok(["--format", "json", "show", name]);
    serde_json::from_str(&text).expect("JSON")
}

/// Datagrams of one flow from the guest of `net1` to the world.
struct Flow {
    guest: UdpSocket,
    world: UdpSocket,
}

impl Flow {
    /// Its first packet, which is answered.
    fn begin(site: &Site) -> Self {
        let bound = |namespace: &Namespace, port: u16| {
            namespace.inside(|| UdpSocket::bind(("0.0.0.0", port)).expect("bind a socket"))
        };
        let (guest, world) = (bound(&site.guest, 4001), bound(&site.world, 4002));
        for socket in [&guest, &world] {
            let patience = Some(Duration::from_millis(300));
            socket.set_read_timeout(patience).expect("wait so long");
        }
        let flow = Self { guest, world };
        flow.is_answered();
        flow
    }

    /// A packet there and one back.
    fn is_answered(&self) {
        let from = self.send().expect("it arrives");
        self.world.send_to(b"back", from).expect("send a datagram");
        let mut bytes = [0; 16];
        self.guest.recv_from(&mut bytes).expect("it is answered");
    }

    fn arrives(&self) -> bool {
        self.send().is_some()
    }

    fn send(&self) -> Option<SocketAddr> {
        // It may be refused.
        let _ = self.guest.send_to(b"there", "192.0.2.2:4002");
        let mut bytes = [0; 16];
        self.world.recv_from(&mut bytes).ok().map(|(_, from)| from)
    }
}
