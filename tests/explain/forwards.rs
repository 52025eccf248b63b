//! Packets to forwards: the guest, the forward and the verdict that are explained are those of the kernel.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use palisade_tests::place::Place;
use palisade_tests::{Definition, Namespace, Palisade, Trials};
use serde_json::{Value, json};

use crate::running::explained;
use crate::site::{GUEST, HOST, Site, WORLD};

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::ALL {
        let name = format!("{place:?}: forwards are followed to their guests");
        trials = trials.with(name, move || followed(place));
    }
    trials.with("destinations that others translate are followed", of_others)
}

/// How long a connection may take that nothing answers.
const PATIENCE: Duration = Duration::from_millis(400);

fn network(forwards: &[&str]) -> Definition {
    Definition::nat("default", "virbr0", &["10.1.0.1/24"]).with_forwards(forwards)
}

fn quiet() -> Definition {
    Definition::isolated("quiet", "virbr0", &["10.1.0.1/24"])
        .with_forwards(&["tcp 8083 -> 10.1.0.5:80"])
}

/// Whether a connection to the host's port comes to the guest's port 80.
fn connects(site: &Site, from: &Namespace, to: &str, port: u16) -> bool {
    let server = site.guest.inside(|| TcpListener::bind((GUEST, 80)));
    let server = server.expect("listen");
    let to = SocketAddr::new(to.parse().expect("an address"), port);
    let client = from.inside(|| TcpStream::connect_timeout(&to, PATIENCE));
    server.set_nonblocking(true).expect("a listener");
    match server.accept() {
        Ok(_) => client.is_ok(),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            false
        }
    }
}

fn asked(to: &str, port: u16) -> String {
    format!("--in wan0 --src {WORLD} --dst {to} --proto tcp --sport 40000 --dport {port}")
}

fn followed(place: Place) {
    let site = Site::new();
    // A frame that meets the rules of IP cannot leave by the port that it came in through.
    site.host.sysctl("bridge/bridge-nf-call-iptables", "0");
    let palisade = place.palisade(&site.host);
    let at = format!("tcp {HOST}:8080 -> {GUEST}:80");
    let any = format!("tcp 8081-8082 -> {GUEST}:79-80");
    palisade.apply(&[network(&[&at, &any])]).stdout();
    for (port, forward) in [(8080, &at), (8082, &any)] {
        assert!(connects(&site, &site.world, HOST, port), "{port}");
        let told = explained(&palisade, &asked(HOST, port));
        assert_eq!(told["verdict"], "accept", "{told:#}");
        assert_eq!(told["undecided"], json!([]), "{told:#}");
        let to = format!("{GUEST}:80");
        assert_eq!(told["nat"], json!({"kind": "dnat", "to": to}), "{told:#}");
        assert_eq!(told["dnat"]["to"], json!(to));
        assert_eq!(told["dnat"]["network"], "default");
        let [protocol, listen, _, target] = words(forward);
        let named = json!({"protocol": protocol, "listen": listen, "to": target});
        assert_eq!(told["dnat"]["forward"], named);
        assert!(
            purposes(&told).contains(&"forwarded".to_owned()),
            "{told:#}"
        );
        let line = format!("explain {}", asked(HOST, port));
        let text = palisade.ok(line.split(' '));
        let named = format!("{to}, by forward `{forward}` of `default`");
        assert!(text.contains(&named), "{text}");
    }
    // The host's other ports are its own.
    let told = explained(&palisade, &asked(HOST, 8090));
    assert_eq!(told["dnat"], Value::Null, "{told:#}");
    // Later packets of the connection, and the guest's answers.
    let later = explained(
        &palisade,
        &format!("{} --ct established", asked(HOST, 8080)),
    );
    assert_eq!(later["verdict"], "accept", "{later:#}");
    assert_eq!(later["dnat"]["to"], json!(format!("{GUEST}:80")));
    // Its own guest: by the host, and with the host's source.
    assert!(connects(&site, &site.guest, HOST, 8080));
    let hairpin = format!("--in virbr0 --src {GUEST} --dst {HOST} --proto tcp --dport 8080");
    let told = explained(&palisade, &hairpin);
    assert_eq!(told["verdict"], "accept", "{told:#}");
    assert_eq!(told["nat"]["kind"], "masquerade", "{told:#}");
    assert_eq!(told["dnat"]["network"], "default", "{told:#}");
    counted(&palisade, &[(&at, 2), (&any, 1)]);
    // Of an isolated network, the forwarded port is reached, and answers; nothing else.
    palisade.ok(["remove", "--all"]);
    palisade.apply(&[quiet()]).stdout();
    assert!(connects(&site, &site.world, HOST, 8083));
    assert_eq!(
        explained(&palisade, &asked(HOST, 8083))["verdict"],
        "accept"
    );
    let answer = |port: u16| {
        format!(
            "--in virbr0 --out wan0 --src {GUEST} --dst {WORLD} --proto tcp --sport {port} \
             --dport 40000 --ct established"
        )
    };
    let told = explained(&palisade, &answer(80));
    assert_eq!(told["verdict"], "accept", "{told:#}");
    assert_eq!(explained(&palisade, &answer(81))["verdict"], "reject");
}

/// Each forward has counted so many connections, in every format; and `list` has them.
fn counted(palisade: &Palisade<'_>, expected: &[(&String, u64)]) {
    let json = |line: &str| -> Value {
        let line = format!("--format json {line}");
        serde_json::from_str(&palisade.ok(line.split(' '))).expect("JSON")
    };
    let counters = json("counters default");
    let forwards = counters[0]["forwards"].as_array().expect("forwards");
    let metrics = palisade.ok(["--format", "prometheus", "counters"]);
    let text = palisade.ok(["counters"]);
    assert_eq!(forwards.len(), expected.len(), "{counters:#}");
    for (forward, connections) in expected {
        let [_, listen, _, _] = words(forward);
        let is_it = |found: &&Value| found["forward"]["listen"] == listen;
        let found = forwards.iter().find(is_it).expect("the forward");
        assert_eq!(found["connections"], json!(connections), "{counters:#}");
        // What comes later counts as let in to the NAT network.
        assert!(found["packets"].as_u64() >= Some(*connections), "{found:#}");
        let metric = format!(
            "palisade_forward_connections_total{{network=\"default\",forward=\"{forward}\"}} \
             {connections}\n"
        );
        assert!(metrics.contains(&metric), "{metrics}");
        assert!(text.contains(forward.as_str()), "{text}");
    }
    let listed = &json("list")[0];
    let listed = listed["forwards"].as_array().expect("forwards");
    assert_eq!(listed.len(), expected.len());
    assert!(palisade.ok(["list"]).contains("FORWARDS"));
}

fn words(forward: &str) -> [&str; 4] {
    let words: Vec<&str> = forward.split(' ').collect();
    words.try_into().expect("four words")
}

fn purposes(told: &Value) -> Vec<String> {
    let path = told["path"].as_array().expect("a path").iter();
    let applied = path.filter(|visit| visit["matched"] == true);
    applied
        .filter_map(|visit| visit["purpose"].as_str().map(str::to_owned))
        .collect()
}

/// Other programs lead packets elsewhere: what palisade's networks make of them there counts.
fn of_others() {
    let site = Site::new();
    let palisade = Palisade::new(&site.host);
    let follows = |expected: bool, port: u16| {
        assert_eq!(connects(&site, &site.world, HOST, port), expected, "{port}");
        let told = explained(&palisade, &asked(HOST, port));
        assert_eq!(told["verdict"] == "accept", expected, "{told:#}");
        assert_eq!(told["dnat"]["to"], json!(format!("{GUEST}:80")), "{told:#}");
        assert_eq!(told["dnat"]["network"], Value::Null);
        assert_eq!(told["undecided"], json!([]), "{told:#}");
    };
    let hook = "type nat hook prerouting priority dstnat;";
    let rule = format!("tcp dport 9090 dnat to {GUEST}:80");
    site.host.nft(&format!(
        "table ip host {{ chain c {{ {hook}\n{rule}\n}}\n}}"
    ));
    let rule =
        format!("-t nat -A PREROUTING -p tcp --dport 9091 -j DNAT --to-destination {GUEST}:80");
    let mut iptables = Command::new("iptables-legacy");
    site.host
        .answer(iptables.args(rule.split(' ')), "")
        .stdout();
    // The network lets nobody in but by its own forwards.
    palisade.apply(&[network(&[])]).stdout();
    for port in [9090, 9091] {
        follows(false, port);
    }
    // Into a port that is forwarded, every translation leads.
    palisade.ok(["remove", "--all"]);
    palisade
        .apply(&[network(&[&format!("tcp 8080 -> {GUEST}:80")])])
        .stdout();
    for port in [9090, 9091] {
        follows(true, port);
    }
    // Without any network nothing keeps them out.
    palisade.ok(["remove", "--all"]);
    for port in [9090, 9091] {
        follows(true, port);
    }
}
