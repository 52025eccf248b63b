//! A host with two networks, a guest on each, and a world; and the command that traces there.

use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use palisade_tests::{Definition, Namespace, Palisade};
use serde_json::Value;

/// How long to wait for what should come at once.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) const GUEST: &str = "192.168.122.10";
pub(crate) const GATEWAY: &str = "192.168.122.1";
pub(crate) const ROUTED: &str = "10.20.0.10";
pub(crate) const WORLD: &str = "192.0.2.2";
pub(crate) const HOST: &str = "192.0.2.1";

/// `nat` on virbr0, `route` on virbr1, the world behind wan0.
pub(crate) struct Site {
    pub(crate) host: Namespace,
    pub(crate) guest: Namespace,
    pub(crate) routed: Namespace,
    pub(crate) world: Namespace,
}

pub(crate) static NETWORKS: LazyLock<[Definition; 2]> = LazyLock::new(|| {
    [
        Definition::nat("nat", "virbr0", &["192.168.122.1/24"]),
        Definition::route("route", "virbr1", &["10.20.0.1/24"]),
    ]
});

impl Site {
    pub(crate) fn new() -> Self {
        let [host, guest, routed, world] = [(); 4].map(|()| Namespace::new());
        host.sysctl("ipv4/ip_forward", "1");
        host.sysctl("ipv4/icmp_ratelimit", "0");
        host.bridges(["virbr0", "virbr1"]);
        for (bridge, port, guest) in [("virbr0", "port0", &guest), ("virbr1", "port1", &routed)] {
            host.cable(port, guest, "eth0");
            host.ip(&format!("link set {port} master {bridge}"));
        }
        host.cable("wan0", &world, "eth0");
        host.ip(
            "addr add 192.168.122.1/24 dev virbr0\naddr add 10.20.0.1/24 dev virbr1\n\
             addr add 192.0.2.1/24 dev wan0",
        );
        for (namespace, address, via) in [
            (&guest, GUEST, GATEWAY),
            (&routed, ROUTED, "10.20.0.1"),
            (&world, WORLD, HOST),
        ] {
            namespace.ip(&format!(
                "addr add {address}/24 dev eth0\nroute add default via {via}"
            ));
        }
        Self {
            host,
            guest,
            routed,
            world,
        }
    }
}

/// Sends datagrams to a port, from a port of the same number.
pub(crate) fn send(from: &Namespace, to: &str, port: u16, count: usize) {
    from.inside(|| {
        let socket = UdpSocket::bind(("0.0.0.0", port)).expect("bind a socket");
        for _ in 0..count {
            // It may be refused.
            let _ = socket.send_to(b"traced", (to, port));
        }
    });
}

/// `palisade trace` at work.
pub(crate) struct Tracing {
    pub(crate) child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Tracing {
    /// Begins to trace, and waits until it does.
    pub(crate) fn begin(site: &Site, palisade: &Palisade<'_>, options: &[&str]) -> Self {
        let mut command = palisade.command(["--format", "json", "trace"]);
        command
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = site.host.inside(|| command.spawn().expect("run palisade"));
        let table = format!("palisade_trace_{}", child.id());
        wait_until("the table that traces", || {
            palisade_tests::Dump::ruleset(&site.host)
                .as_str()
                .contains(&table)
        });
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, lines }
    }

    /// The next object that it prints; none if it ended.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let line = self.lines.next()?.expect("read its output");
        Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
    }

    /// The next packet of UDP that it prints, whole or not.
    pub(crate) fn packet(&mut self) -> Value {
        let packet = self.next().expect("a packet that is traced");
        assert_eq!(packet["packet"]["protocol"], 17, "{packet:#}");
        packet
    }

    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        let process = i32::try_from(self.child.id()).expect("the number of a process");
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(process), signal).expect("send a signal");
    }

    /// Its exit code, and what it said on standard error.
    pub(crate) fn end(self) -> (Option<i32>, String) {
        let output = self.child.wait_with_output().expect("wait for palisade");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    }
}

#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "{what} does not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What it met, each as `TABLE CHAIN`.
pub(crate) fn places(packet: &Value) -> Vec<String> {
    let path = packet["path"].as_array().expect("a path");
    let text = |visit: &Value, key: &str| visit[key].as_str().unwrap_or_default().to_owned();
    let place = |visit: &Value| format!("{} {}", text(visit, "table"), text(visit, "chain"));
    path.iter().map(place).collect()
}
