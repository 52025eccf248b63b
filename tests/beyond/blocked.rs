//! Blocked guests: nothing of them passes, and everything of all others.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use palisade::{BackendChoice, Choice, ErrorKind, Hint};
use palisade_core::network::{Description, Network};
use palisade_tests::place::Place;
use palisade_tests::{Definition, Namespace, Palisade, Trials};

use crate::forwards::{
    Addresses, By, FAMILIES, Lab, ask, at, isolated_network, listen, nat_network,
};
use crate::library::Library;

pub(crate) fn add_to(mut trials: Trials) -> Trials {
    for place in Place::ALL {
        let name = format!("{place:?}: a blocked guest reaches nobody, and nobody reaches it");
        trials = trials.with(name, move || cut_off(place));
        let name =
            format!("{place:?}: blocking keeps the order of networks, and what they counted");
        trials = trials.with(name, move || keeps_order(place));
        let name = format!("{place:?}: a blocked guest stays so, whatever becomes of its network");
        trials = trials.with(name, move || stays(place));
    }
    trials.with(
        "what becomes of blocks that no rules can keep",
        notes_of_blocks,
    )
}

/// Blocks that a change cannot keep are named in its report, and in what `plan` foresees.
fn notes_of_blocks() {
    let host = Namespace::new();
    let palisade = Palisade::new(&host);
    let network = |subnet| Definition::nat("default", "virbr0", &[subnet]);
    palisade.apply(&[network("10.1.0.1/24")]).stdout();
    palisade.ok(["block", "default/10.1.0.200", "default/10.1.0.9"]);
    let unblocked = palisade.ok(["--format", "json", "unblock", "default/10.1.0.9"]);
    assert!(!unblocked.contains("not blocked any more"), "{unblocked}");
    let smaller = palisade.files(&[network("10.1.0.1/25")]);
    let on_it = |words: &[&str]| {
        let words = words.iter().map(OsString::from);
        let files = smaller.iter().map(OsString::from);
        palisade.answer(words.chain(files)).stdout
    };
    for command in ["plan", "apply"] {
        let answer = on_it(&["--format", "json", command]);
        let lost =
            "not blocked any more, since no rules of the network are about them now: 10.1.0.200";
        assert!(answer.contains(lost), "{command}: {answer}");
    }
    palisade.ok(["block", "default/10.1.0.9"]);
    let moved = on_it(&["--backend", "none", "--format", "json", "apply"]);
    assert!(
        moved.contains("its blocked guest is not cut off"),
        "{moved}"
    );
    let removed = palisade.ok(["--format", "json", "remove", "default"]);
    assert!(removed.contains("forgotten with it"), "{removed}");
}

/// The first guest of a family, as it is blocked.
fn first(of: &Addresses) -> String {
    format!("default/{}", of.guests[0])
}

fn cut_off(place: Place) {
    let lab = Lab::new();
    let mut library = Library::new(&lab.host, place);
    let web = format!("tcp 8080 -> {}:80", FAMILIES[0].guests[0]);
    library.apply(&[nat_network(&[web.parse().expect("a forward")])]);
    for of in &FAMILIES {
        lab.assert_passes(of, true);
    }
    let listener = lab.world.inside(|| listen(at(FAMILIES[0].world[0], 90)));
    let to = at(FAMILIES[0].world[0], 90);
    let mut client = lab.guests[0].inside(|| TcpStream::connect(to).expect("connect"));
    let (mut server, _) = listener.accept().expect("accept");
    let notes = library.block(&first(&FAMILIES[0]));
    assert!(notes.iter().any(|note| note.contains("ended")), "{notes:?}");
    client.write_all(b"?").expect("send");
    let patience = Some(Duration::from_millis(600));
    server.set_read_timeout(patience).expect("a timeout");
    assert!(server.read(&mut [0; 8]).is_err(), "a connection goes on");
    library.block(&first(&FAMILIES[1]));
    library.assert_clean();
    for of in &FAMILIES {
        lab.assert_passes(of, false);
    }
    let counters = library.firewall().counters(&[]).expect("counters");
    let refused = counters.iter().flat_map(|it| &it.traffic);
    let refused = refused.filter(|(traffic, _)| traffic.to_string() == "refused_out");
    let packets: Vec<u64> = refused.map(|(_, counted)| counted.packets).collect();
    assert!(packets.iter().all(|&packets| packets > 0), "{packets:?}");
    for of in &FAMILIES {
        library.unblock(&first(of));
        lab.assert_passes(of, true);
    }
    let standing = place.standing(&lab.host);
    assert!(!standing.contains("blocked out"), "{standing}");
    let again = library
        .firewall()
        .unblock(&[first(&FAMILIES[0]).parse().expect("a guest")]);
    assert_eq!(
        again.expect_err("not blocked").kind(),
        ErrorKind::UnknownGuest
    );
    library.remove_all();
    assert_eq!(place.standing(&lab.host).trim(), "");
}

fn keeps_order(place: Place) {
    let lab = Lab::new();
    let mut library = Library::new(&lab.host, place);
    library.apply(&[nat_network(&[]), isolated_network(false)]);
    lab.assert_passes(&FAMILIES[0], true);
    let counted = |library: &mut Library| -> u64 {
        let counters = library.firewall().counters(&[]).expect("counters");
        let all = counters.iter().flat_map(|it| it.traffic.values());
        all.map(|counted| counted.packets).sum()
    };
    let before = counted(&mut library);
    assert!(before > 0);
    let names = |library: &mut Library| {
        let running = library.firewall().running().expect("what runs");
        running
            .iter()
            .map(|record| record.network.name().clone())
            .collect::<Vec<_>>()
    };
    let order = names(&mut library);
    // The one that was started first, below the other's rules.
    for of in &FAMILIES {
        library.block(&first(of));
    }
    library.assert_clean();
    assert_eq!(counted(&mut library), before);
    library.unblock(&first(&FAMILIES[0]));
    library.assert_clean();
    assert_eq!(counted(&mut library), before);
    assert_eq!(names(&mut library), order);
    // Blocks are found again where no record names them.
    let quiet = format!("quiet/{}", FAMILIES[0].guests[2]);
    library.block(&quiet);
    library.lose_state();
    library.apply(&[nat_network(&[]), isolated_network(false)]);
    let running = library.firewall().running().expect("what runs");
    let blocked: usize = running
        .iter()
        .map(|record| record.network.blocked().len())
        .sum();
    assert_eq!(blocked, 2);
    library.assert_clean();
}

fn stays(place: Place) {
    let lab = Lab::new();
    let mut library = Library::new(&lab.host, place);
    let network = nat_network(&[]);
    library.apply(std::slice::from_ref(&network));
    for of in &FAMILIES {
        library.block(&first(of));
    }
    let since = |library: &mut Library| {
        let running = library.firewall().running().expect("what runs");
        (running[0].since, running[0].network.blocked().len())
    };
    let (began, blocked) = since(&mut library);
    assert_eq!(blocked, FAMILIES.len());
    let check = |library: &mut Library, what: &str| {
        library.assert_clean();
        assert_eq!(since(library).1, FAMILIES.len(), "{what}");
        lab.assert_blocked(what);
    };
    // Applied again it is unchanged, and another definition does not let them in.
    library.apply(std::slice::from_ref(&network));
    assert_eq!(since(&mut library).0, began, "unchanged");
    let other = Network::new(Description {
        dhcp: true,
        tftp: true,
        ..network.clone().into()
    });
    library.apply(&[other.expect("a network")]);
    check(&mut library, "another definition");
    let synced = library.firewall().sync(std::slice::from_ref(&network));
    synced.expect("sync");
    check(&mut library, "sync");
    // Others take the rules away.
    match place {
        Place::Mapped => lab.host.nft("flush set ip palisade blocked_out"),
        Place::Flat => lab.host.nft("flush chain ip palisade blocked_from"),
        Place::Legacy | Place::Nft => {
            let mut program = Command::new(format!("iptables-{}", place.word()));
            let flushed = program.args(["-t", "mangle", "-F", "PALISADE_BLK"]);
            lab.host.answer(flushed, "").stdout();
        }
    }
    assert!(!library.firewall().verify(&[]).expect("verify").is_empty());
    library.firewall().repair(&[]).expect("repair");
    check(&mut library, "repair");
    for to in Place::ALL {
        let backend: BackendChoice = to.backend().parse().expect("a backend");
        let choice = Choice {
            backend: Some(backend),
            layout: to.word().parse().ok(),
            iptables: to.word().parse().ok(),
            ..Choice::default()
        };
        library.firewall().migrate(&choice).expect("migrate");
        check(&mut library, &format!("migrate to {to:?}"));
    }
    for of in &FAMILIES {
        library.unblock(&first(of));
    }
    library.assert_clean();
    lab.assert_passes(&FAMILIES[0], true);
}

impl Lab {
    /// One way in each family is enough, where all were tried before: each takes its time.
    #[track_caller]
    fn assert_blocked(&self, what: &str) {
        let [v4, v6] = &FAMILIES;
        let world = at(v4.world[0], 80);
        let out = ask(By::Tcp, &self.guests[0], None, world, (&self.world, world));
        assert_eq!(out, None, "{what}: to the world");
        let guest = at(v6.guests[0], 80);
        let incoming = ask(By::Tcp, &self.host, None, guest, (&self.guests[0], guest));
        assert_eq!(incoming, None, "{what}: from the host");
    }

    /// Whether the first guest and the rest of the world reach each other. Its neighbour always does.
    #[track_caller]
    fn assert_passes(&self, of: &Addresses, passes: bool) {
        let [guest, neighbour] = [&self.guests[0], &self.guests[1]];
        let world = (&self.world, at(of.world[0], 80));
        let host = (&self.host, at(of.gateways[0], 80));
        let asks =
            |from, to: (_, std::net::SocketAddr)| ask(By::Tcp, from, None, to.1, to).is_some();
        assert_eq!(asks(guest, world), passes, "to the world");
        assert_eq!(asks(guest, host), passes, "to the host");
        let inside = (guest, at(of.guests[0], 80));
        assert_eq!(asks(&self.host, inside), passes, "from the host");
        assert!(asks(neighbour, world), "a neighbour to the world");
        assert!(
            asks(&self.host, (neighbour, at(of.guests[1], 80))),
            "to a neighbour"
        );
        if !passes {
            let forwarded = ask(By::Tcp, &self.world, None, at(of.host[0], 8080), inside);
            assert_eq!(forwarded, None, "by a forward");
        }
    }
}
