//! Networks without a way out; and the two documented differences between the layouts. In both,
//! `flat` lets pass what libvirt lets pass.

use palisade_tests::probe::{End, Outcome, Protocol, ask, send};

use crate::topology::Ends;
use crate::{Lab, Rules, assert_open, assert_refused};

pub(crate) fn reaches_nothing(lab: &Lab) {
    let topology = &lab.topology;
    let elsewhere = [
        topology.world(),
        topology.second_world(),
        topology.guest("nat"),
    ];
    for to in elsewhere {
        assert_refused(topology.guest("quiet"), to);
        let [from, _] = topology.guest("quiet4");
        assert_refused_by_ipv4(&from, &to[0]);
    }
}

pub(crate) fn is_reached_by_nobody(lab: &Lab) {
    let topology = &lab.topology;
    let others = ["nat", "route"].map(|network| topology.guest(network));
    for from in others
        .into_iter()
        .chain([topology.world(), topology.second_world()])
    {
        assert_refused(from, topology.guest("quiet"));
        assert_refused_by_ipv4(&from[0], &topology.guest("quiet4")[0]);
    }
}

/// The host's own packets are not forwarded: no rule of ours is asked.
pub(crate) fn reaches_the_host(lab: &Lab) {
    let gateway: [End<'_>; 2] = lab
        .topology
        .gateway("quiet")
        .try_into()
        .expect("an address of each family");
    assert_open(lab.topology.guest("quiet"), gateway);
    assert_open(gateway, lab.topology.guest("quiet"));
}

/// libvirt lets packets into a routed network before it asks whether they may leave theirs.
pub(crate) fn towards_routed(lab: &Lab) {
    assert_one_way(lab, lab.topology.guest("quiet"), Outcome::Refused);
}

pub(crate) fn lies_towards_routed(lab: &Lab) {
    for network in ["quiet", "nat"] {
        // The refusal goes to where nobody is.
        assert_one_way(lab, lab.topology.liar(network), Outcome::Silent);
    }
}

pub(crate) fn another_device_towards_routed(lab: &Lab) {
    assert_one_way(lab, lab.topology.guest("uplink"), Outcome::Refused);
}

/// Into a routed network: in `flat` it arrives, as with libvirt; in `mapped` this becomes of it.
#[track_caller]
fn assert_one_way(lab: &Lab, from: Ends<'_>, in_mapped: Outcome) {
    let [_, listener] = lab.topology.guests("route");
    for (from, to) in from.iter().zip(&listener) {
        let outcome = send(from, to);
        if lab.rules == Rules::Mapped {
            assert_eq!(outcome, in_mapped, "from {}", from.address);
        } else {
            assert_eq!(
                outcome.source().map(|s| s.ip()),
                Some(from.address),
                "{outcome:?}"
            );
        }
    }
}

/// A network without IPv6 gets no IPv6 rules from libvirt, which turns IPv6 off on its bridge.
pub(crate) fn ipv6_past_ipv4(lab: &Lab) {
    let [_, liar] = lab.topology.liar("quiet4");
    let [[_, first], [_, second]] = lab.topology.guests("quiet4");
    let ([_, world], [_, [_, routed]]) = (lab.topology.world(), lab.topology.guests("route"));
    let pairs = [
        (first, world),
        (first, routed),
        (world, first),
        (routed, first),
    ];
    for (from, to) in pairs {
        for protocol in Protocol::ALL {
            let outcome = ask(protocol, &from, &to);
            match lab.rules {
                Rules::Mapped => assert_eq!(outcome, Outcome::Refused, "from {}", from.address),
                _ => assert!(outcome.is_answered_to(from.address), "{outcome:?}"),
            }
        }
    }
    for to in [world, routed] {
        let outcome = send(&liar, &to);
        match lab.rules {
            Rules::Mapped => assert_eq!(outcome, Outcome::Silent),
            _ => assert_eq!(
                outcome.source().map(|s| s.ip()),
                Some(liar.address),
                "{outcome:?}"
            ),
        }
    }
    // Among themselves they may talk.
    for protocol in Protocol::ALL {
        let outcome = ask(protocol, &first, &second);
        assert!(
            outcome.is_answered_to(first.address),
            "{protocol:?}: {outcome:?}"
        );
    }
}

/// What the rules are there for: without them all of this arrives.
pub(crate) fn lies_arrive(lab: &Lab) {
    for network in ["nat", "uplink", "route", "quiet", "quiet4"] {
        for to in [lab.topology.world(), lab.topology.guests("route")[1]] {
            for (from, to) in lab.topology.liar(network).iter().zip(&to) {
                let outcome = send(from, to);
                let source = outcome.source().map(|source| source.ip());
                assert_eq!(source, Some(from.address), "{network}: {outcome:?}");
            }
        }
    }
}

#[track_caller]
fn assert_refused_by_ipv4(from: &End<'_>, to: &End<'_>) {
    for protocol in Protocol::ALL {
        let told = format!("{protocol:?} from {} to {}", from.address, to.address);
        assert_eq!(ask(protocol, from, to), Outcome::Refused, "{told}");
    }
}
