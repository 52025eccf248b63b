//! What a description must fulfil to be a network.

use std::net::IpAddr;

use super::description::Description;
use super::forward::{Forward, UnmanagedMode};
use super::network_error::{NetworkError, TargetProblem};
use super::port_forward::{MAX_FORWARDED_PORTS, PortForward, first_clash};
use super::subnet::{Family, Subnet};

/// Finds the first contradiction.
pub(super) fn check(description: &Description) -> Result<(), NetworkError> {
    check_forwarding(description)?;
    check_rules(description)?;
    if let Some((first, second)) = first_overlap(&description.subnets) {
        let name = description.name.clone();
        return Err(NetworkError::Overlap {
            name,
            first,
            second,
        });
    }
    check_forwards(description)?;
    check_blocked(description)
}

/// The mode, and what it needs or excludes.
fn check_forwarding(description: &Description) -> Result<(), NetworkError> {
    let Description {
        name,
        bridge,
        forward,
        subnets,
        ..
    } = description;
    let (name, mode) = (name.clone(), forward.mode());
    match forward {
        Forward::Isolated | Forward::Nat(_) | Forward::Route { .. } => {
            if bridge.is_none() {
                return Err(NetworkError::NoBridge { name });
            }
        }
        Forward::Unmanaged(_) if !subnets.is_empty() => {
            return Err(NetworkError::UnwantedSubnet { name, mode });
        }
        Forward::Open | Forward::Unmanaged(UnmanagedMode::Bridge) => {}
        Forward::Unmanaged(_) if bridge.is_some() => {
            return Err(NetworkError::UnwantedBridge { name, mode });
        }
        Forward::Unmanaged(_) => {}
    }
    if matches!(forward, Forward::Nat(_) | Forward::Route { .. }) && subnets.is_empty() {
        return Err(NetworkError::NoSubnet { name, mode });
    }
    if let (Some(bridge), Some(device)) = (bridge, forward.device())
        && bridge == device
    {
        return Err(NetworkError::OwnBridge {
            name,
            bridge: bridge.clone(),
        });
    }
    Ok(())
}

/// Fields that take effect by rules alone.
fn check_rules(description: &Description) -> Result<(), NetworkError> {
    if !matches!(description.forward, Forward::Open | Forward::Unmanaged(_)) {
        return Ok(());
    }
    let fields = [
        ("mss_clamp", description.mss_clamp.is_some()),
        ("forwards", !description.forwards.is_empty()),
        ("log", description.log.is_some()),
        ("blocked", !description.blocked.is_empty()),
    ];
    match fields.into_iter().find(|&(_, is_given)| is_given) {
        None => Ok(()),
        Some((field, _)) => Err(NetworkError::NoRules {
            name: description.name.clone(),
            field,
            mode: description.forward.mode(),
        }),
    }
}

/// The forwards against the subnets and each other.
fn check_forwards(description: &Description) -> Result<(), NetworkError> {
    let name = || description.name.clone();
    let forwards = &description.forwards;
    for forward in forwards {
        if let Some(problem) = target_problem(forward, &description.subnets) {
            return Err(NetworkError::Target {
                name: name(),
                forward: Box::new(forward.clone()),
                problem,
            });
        }
    }
    // Any number of forwards fits: there are fewer than 2^32 in memory.
    let ports = forwards
        .iter()
        .map(|forward| forward.listen().ports().count())
        .fold(0_u32, u32::saturating_add);
    if ports > MAX_FORWARDED_PORTS {
        return Err(NetworkError::ManyPorts {
            name: name(),
            ports,
        });
    }
    match first_clash(forwards) {
        None => Ok(()),
        Some((first, second)) => Err(NetworkError::SameForward {
            name: name(),
            first: Box::new(first.clone()),
            second: Box::new(second.clone()),
        }),
    }
}

/// The blocked guests against the subnets.
fn check_blocked(description: &Description) -> Result<(), NetworkError> {
    let mut blocked = description.blocked.iter();
    match blocked.find(|&&guest| !may_have(&description.subnets, guest)) {
        None => Ok(()),
        Some(&guest) => Err(NetworkError::Blocked {
            name: description.name.clone(),
            guest,
        }),
    }
}

/// Whether a network with these subnets may have a guest with this address.
pub(super) fn may_have(subnets: &[Subnet], guest: IpAddr) -> bool {
    if Subnet::of_host(guest).is_none() || guest.is_loopback() {
        return false;
    }
    if let IpAddr::V6(guest) = guest
        && guest.is_unicast_link_local()
    {
        return true;
    }
    let family = Family::from(guest);
    let mut of_family = subnets.iter().filter(|subnet| subnet.family() == family);
    let mut others = of_family.clone();
    of_family.next().is_none() || others.any(|subnet| subnet.net().contains(&guest))
}

fn target_problem(forward: &PortForward, subnets: &[Subnet]) -> Option<TargetProblem> {
    let address = forward.target().address();
    let Some(subnet) = subnets
        .iter()
        .find(|subnet| subnet.net().contains(&address))
    else {
        return Some(TargetProblem::Outside);
    };
    // Point-to-point subnets have neither (RFC 3021), nor have those of IPv6.
    let IpAddr::V4(_) = address else {
        return None;
    };
    if subnet.prefix() >= 31 {
        None
    } else if address == subnet.network() {
        Some(TargetProblem::Subnet)
    } else if address == subnet.net().broadcast() {
        Some(TargetProblem::Broadcast)
    } else {
        None
    }
}

/// The first subnet that shares addresses with a later one, and that one. Subnets nest or are
/// disjoint: sorted by first address, the shorter prefix before the longer, an overlap is always
/// with the last subnet that has not ended yet.
fn first_overlap(subnets: &[Subnet]) -> Option<(Subnet, Subnet)> {
    let mut sorted: Vec<usize> = (0..subnets.len()).collect();
    sorted.sort_by_key(|&i| (subnets[i].network(), subnets[i].prefix(), i));
    let mut outer = *sorted.first()?;
    let mut found = None;
    for &i in &sorted[1..] {
        if subnets[outer].overlaps(subnets[i]) {
            let pair = (outer.min(i), outer.max(i));
            found = Some(found.map_or(pair, |earlier| pair.min(earlier)));
        } else {
            outer = i;
        }
    }
    found.map(|(first, second)| (subnets[first], subnets[second]))
}

#[cfg(test)]
mod tests {
    use super::super::{LogRefused, MssClamp, Nat, Network};
    use super::*;

    fn isolated(subnets: &[&str]) -> Description {
        Description {
            subnets: subnets.iter().map(|s| s.parse().unwrap()).collect(),
            ..Description::new(
                "lab".parse().unwrap(),
                Some("virbr0".parse().unwrap()),
                Forward::Isolated,
            )
        }
    }

    #[test]
    fn subnets_of_one_network_may_not_overlap() {
        let error = Network::new(isolated(&["10.0.0.0/8", "fd00::/64", "10.1.0.0/16"]));
        assert_eq!(
            error.unwrap_err().to_string(),
            "network `lab` has two subnets that overlap: 10.0.0.0/8 and 10.1.0.0/16"
        );
    }

    #[test]
    fn of_several_overlaps_the_first_is_told() {
        let told = |subnets: &[&str]| Network::new(isolated(subnets)).map_err(|e| e.to_string());
        let both = "network `lab` has two subnets that overlap: ";
        assert_eq!(
            told(&[
                "10.1.0.0/24",
                "10.0.0.0/8",
                "fd00::/64",
                "10.1.0.0/16",
                "fd00::/80"
            ]),
            Err(format!("{both}10.1.0.0/24 and 10.0.0.0/8"))
        );
        assert_eq!(
            told(&["fd00::/64", "10.0.0.0/24", "fd00::/64"]),
            Err(format!("{both}fd00::/64 and fd00::/64"))
        );
        assert!(
            told(&[
                "10.0.1.0/24",
                "fd00::/64",
                "10.0.0.0/24",
                "0:1::/32",
                "0.1.0.0/16"
            ])
            .is_ok()
        );
    }

    #[test]
    fn nat_and_route_need_a_subnet() {
        for forward in [
            Forward::Nat(Nat::default()),
            Forward::Route { device: None },
        ] {
            let description = Description {
                forward,
                ..isolated(&[])
            };
            assert!(matches!(
                Network::new(description),
                Err(NetworkError::NoSubnet { .. })
            ));
        }
    }

    #[test]
    fn a_bridge_is_needed_where_it_is_ours() {
        let without = Description {
            bridge: None,
            ..isolated(&[])
        };
        assert!(matches!(
            Network::new(without),
            Err(NetworkError::NoBridge { .. })
        ));
        let direct = Forward::Unmanaged(UnmanagedMode::Vepa);
        let with = Description {
            forward: direct,
            ..isolated(&[])
        };
        assert!(matches!(
            Network::new(with),
            Err(NetworkError::UnwantedBridge { .. })
        ));
    }

    fn told(description: Description) -> String {
        Network::new(description).unwrap_err().to_string()
    }

    #[test]
    fn fields_that_need_rules_are_refused_where_there_are_none() {
        for forward in [Forward::Open, Forward::Unmanaged(UnmanagedMode::Bridge)] {
            let mode = forward.mode();
            let plain = Description {
                forward,
                ..isolated(&[])
            };
            let mut others = vec![plain.clone(); 3];
            others[0].mss_clamp = Some(MssClamp::RouteMtu);
            others[1].forwards = vec!["tcp 80 -> 10.0.0.1:80".parse().unwrap()];
            others[2].log = Some(LogRefused::default());
            for (other, field) in others.into_iter().zip(["mss_clamp", "forwards", "log"]) {
                assert_eq!(
                    told(other),
                    format!(
                        "network `lab` has `{field}`, but palisade has no rules for mode `{mode}`"
                    )
                );
            }
            // The bridge's ports may be isolated by whoever made it.
            let ports = Description {
                isolated_ports: true,
                ..plain
            };
            assert!(Network::new(ports).is_ok());
        }
    }

    fn forwarding(forwards: &[&str]) -> Description {
        Description {
            forwards: forwards.iter().map(|text| text.parse().unwrap()).collect(),
            ..isolated(&["10.0.0.0/24", "10.0.9.0/31", "fd00::/64"])
        }
    }

    #[test]
    fn forwards_lead_to_guests() {
        for (forward, problem) in [
            (
                "tcp 80 -> 10.0.1.1:80",
                "10.0.1.1, which is in none of its subnets",
            ),
            (
                "tcp 80 -> [fd01::1]:80",
                "fd01::1, which is in none of its subnets",
            ),
            (
                "tcp 80 -> 10.0.0.0:80",
                "10.0.0.0, which is the address of a subnet itself",
            ),
            (
                "tcp 80 -> 10.0.0.255:80",
                "10.0.0.255, which is the broadcast address of a subnet",
            ),
        ] {
            assert_eq!(
                told(forwarding(&[forward])),
                format!("network `lab` forwards to {problem}")
            );
        }
        let good = [
            "tcp 80 -> 10.0.9.0:80",
            "tcp 81 -> 10.0.9.1:80",
            "udp 80 -> [fd00::]:80",
        ];
        assert!(Network::new(forwarding(&good)).is_ok());
    }

    #[test]
    fn forwarded_ports_are_counted() {
        let most = ["tcp 1-4095 -> 10.0.0.1:1-4095", "udp 1 -> 10.0.0.1:1"];
        assert!(Network::new(forwarding(&most)).is_ok());
        let more = [most[0], most[1], "udp 2 -> 10.0.0.1:2"];
        assert_eq!(
            told(forwarding(&more)),
            "network `lab` forwards 4097 ports, more than 4096"
        );
    }

    #[test]
    fn of_forwards_for_the_same_packets_the_first_two_are_told() {
        let two = [
            "tcp 203.0.113.1:80 -> 10.0.0.1:80",
            "tcp 81-90 -> 10.0.0.1:81-90",
            "udp 80 -> 10.0.0.1:80",
            "tcp 85 -> 10.0.0.2:80",
            "tcp 84 -> 10.0.0.3:80",
            "tcp 80 -> 10.0.0.4:80",
            "tcp 80 -> [fd00::4]:80",
        ];
        assert_eq!(
            told(forwarding(&two)),
            "network `lab` has two forwards for the same packets: `tcp 81-90 -> 10.0.0.1:81-90` \
             and `tcp 85 -> 10.0.0.2:80`"
        );
        let apart = [two[0], two[1], two[2], two[5], two[6]];
        assert!(Network::new(forwarding(&apart)).is_ok());
    }

    #[test]
    fn json_goes_through_the_same_checks() {
        let good = Network::new(isolated(&["10.0.0.0/8"])).unwrap();
        let json = serde_json::to_string(&good).unwrap();
        assert_eq!(serde_json::from_str::<Network>(&json).unwrap(), good);
        let bad = json.replace("[\"10.0.0.0/8\"]", "[\"10.0.0.0/8\",\"10.0.0.0/9\"]");
        assert!(serde_json::from_str::<Network>(&bad).is_err());
    }
}
