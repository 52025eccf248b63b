//! Where the host sends what guests send, and what is for them: the kernel is asked, so that rules of
//! policy routing count.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use palisade_core::evaluate::Packet;
use palisade_core::network::{Family, InterfaceName, Subnet};
use palisade_core::state::Record;
use palisade_netlink::rtnetlink::{HostError, Link, Route, RouteKind, RoutingRule};

use super::collisions;
use super::finding::{Check, Evidence, Finding, Fix, Severity};
use super::packets::{gateway, nth, outside, own_address, world};
use super::scene::{Scene, leaves, names, told};
use crate::routing::{MAIN, NoWay, Way};
use crate::shell::word;

/// The number of the table with what the host takes itself.
const LOCAL: u32 = 255;
const TCP: u8 = 6;

/// What is found, where several networks have the same.
#[derive(Default)]
struct Found<'s> {
    findings: Vec<Finding>,
    unaddressed: Vec<Guests<'s>>,
    /// By the rule of policy routing that leads elsewhere, if one does.
    astray: BTreeMap<Elsewhere, Vec<Guests<'s>>>,
    /// By the reason why nothing leads outside.
    shut: BTreeMap<Shut, Vec<Guests<'s>>>,
    strict: BTreeMap<String, Vec<Guests<'s>>>,
}

/// The guests of one subnet.
#[derive(Clone, Copy)]
struct Guests<'s> {
    record: &'s Record,
    bridge: &'s InterfaceName,
    subnet: Subnet,
}

/// Where what is for guests goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Elsewhere {
    family: Family,
    rule: Option<u32>,
    to: String,
}

/// Why nothing leads outside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Shut {
    family: Family,
    rule: Option<u32>,
    is_missing: bool,
    why: String,
}

pub(super) fn findings(scene: &Scene) -> Result<Vec<Finding>, HostError> {
    let mut found = Found::default();
    for (record, bridge) in scene.ruled() {
        let Some(link) = scene.host.link(bridge.as_str()) else {
            continue;
        };
        for family in Family::BOTH {
            let disabled = format!("net/ipv6/conf/{bridge}/disable_ipv6");
            if family == Family::Ipv6 && scene.settings.is(&disabled, "1") {
                continue;
            }
            let mut is_first = true;
            for subnet in record.network.subnets_of(family) {
                let guests = Guests {
                    record,
                    bridge,
                    subnet,
                };
                if !has_address(scene, link, subnet) {
                    found.unaddressed.push(guests);
                    continue;
                }
                if !link.is_up {
                    continue;
                }
                found.towards_guests(scene, guests)?;
                if std::mem::take(&mut is_first) && leaves(&record.network, family) {
                    found.outwards(scene, guests)?;
                }
            }
        }
    }
    found.settle(scene)
}

/// Whether the host has an address of the subnet on a bridge.
fn has_address(scene: &Scene, link: &Link, subnet: Subnet) -> bool {
    let mut addresses = scene.host.addresses.iter();
    addresses.any(|it| it.device == link.index && subnet.net().contains(&it.address))
}

impl<'s> Found<'s> {
    /// Whether the host sends what is for guests to their bridge.
    fn towards_guests(&mut self, scene: &Scene, guests: Guests<'s>) -> Result<(), HostError> {
        let guest = guests.guest();
        if guest == gateway(scene, guests.bridge, guests.subnet) {
            return Ok(());
        }
        let mut ways = vec![scene.routing.towards(guest)?];
        let family = guests.subnet.family();
        let device = outside(scene, guests.record.network.forward(), family);
        if let Some(device) = device.filter(|device| device != guests.bridge)
            && let Some(packet) = packet(world(family), guest, &device)
        {
            ways.push(scene.routing.way(&packet)?);
        }
        for way in ways {
            let to = match way {
                Way::On(onward) if onward.device == *guests.bridge => continue,
                Way::On(onward) => format!("leaves by `{}`", onward.device),
                Way::ToHost => "is taken by the host itself".to_owned(),
                Way::Nowhere(
                    NoWay::NoRoute { .. }
                    | NoWay::Unreachable { .. }
                    | NoWay::Prohibited { .. }
                    | NoWay::Blackhole { .. },
                ) => "goes nowhere".to_owned(),
                // That is found elsewhere.
                Way::Nowhere(_) => continue,
            };
            let rule = scene.deciding(family, None, guest, None);
            if rule.is_none() && collisions::hides_guests(scene, guests.record, guests.subnet) {
                break;
            }
            let elsewhere = Elsewhere {
                family,
                rule: rule.map(|rule| rule.priority),
                to,
            };
            self.astray.entry(elsewhere).or_default().push(guests);
            break;
        }
        Ok(())
    }

    /// Where the host sends what guests send to the outside.
    fn outwards(&mut self, scene: &Scene, guests: Guests<'s>) -> Result<(), HostError> {
        let family = guests.subnet.family();
        let (guest, world) = (guests.guest(), world(family));
        let Some(packet) = packet(guest, world, guests.bridge) else {
            return Ok(());
        };
        let way = scene.routing.way(&packet)?;
        let bound = guests.record.network.forward().device();
        let bound = bound.and_then(|name| Some((name, scene.host.link(name.as_str())?)));
        if let Some((name, link)) = bound.filter(|(_, link)| link.is_up)
            && self.bound(scene, guests, (name, link), &way)
        {
            return Ok(());
        }
        match &way {
            Way::Nowhere(NoWay::ReversePath { .. }) => {
                let strict = guests.bridge.to_string();
                self.strict.entry(strict).or_default().push(guests);
            }
            Way::Nowhere(
                no_way @ (NoWay::NoRoute { .. }
                | NoWay::Unreachable { .. }
                | NoWay::Prohibited { .. }
                | NoWay::Blackhole { .. }),
            ) => {
                let rule = scene.deciding(family, Some(guest), world, Some(guests.bridge));
                let is_missing = matches!(no_way, NoWay::NoRoute { .. });
                // Many hosts are connected by IPv4 alone.
                if rule.is_none() && is_missing && family == Family::Ipv6 {
                    return Ok(());
                }
                let shut = Shut {
                    family,
                    rule: rule.map(|rule| rule.priority),
                    is_missing,
                    why: match no_way {
                        NoWay::NoRoute { .. } => "no route leads there",
                        NoWay::Unreachable { .. } => "a route says that it is unreachable",
                        NoWay::Prohibited { .. } => "a route prohibits it",
                        _ => "a blackhole route drops it",
                    }
                    .to_owned(),
                };
                self.shut.entry(shut).or_default().push(guests);
            }
            _ => {}
        }
        self.back(scene, guests)
    }

    /// Whether answers come in: the device that they come by may filter sources.
    fn back(&mut self, scene: &Scene, guests: Guests<'s>) -> Result<(), HostError> {
        let family = guests.subnet.family();
        let forward = guests.record.network.forward();
        let Some(device) = outside(scene, forward, family) else {
            return Ok(());
        };
        let Some(own) = own_address(scene, &device, family) else {
            return Ok(());
        };
        if let Some(packet) = packet(world(family), own, &device)
            && let Way::Nowhere(NoWay::ReversePath { .. }) = scene.routing.way(&packet)?
        {
            let strict = device.to_string();
            self.strict.entry(strict).or_default().push(guests);
        }
        Ok(())
    }

    /// Whether the device that the network is bound to is the wrong one.
    fn bound(
        &mut self,
        scene: &Scene,
        guests: Guests<'s>,
        (device, link): (&InterfaceName, &Link),
        way: &Way,
    ) -> bool {
        let name = guests.record.network.name();
        let master = link.master.and_then(|index| scene.host.name(index));
        let (state, meaning, advice) = match (master, way) {
            (Some(master), _) => (
                format!("a port of `{master}`"),
                format!("packets leave by `{master}`, and never by its port"),
                format!(
                    "name `{master}` as the device in the definition of `{name}`, and apply it"
                ),
            ),
            (None, Way::On(onward)) if onward.device != *device => (
                format!("up, and the host's route leads by `{}`", onward.device),
                format!(
                    "what guests send leaves by `{}`, and the network refuses that",
                    onward.device
                ),
                format!(
                    "name `{other}` as the device in the definition of `{name}`, and apply it; or lead \
                     its guests there: a default route by `{device}` in a table of its own, and `{rule}`",
                    other = onward.device,
                    rule = scene.commands.inside(format!(
                        "ip rule add from {} lookup TABLE",
                        guests.subnet.net()
                    ))
                ),
            ),
            _ => return false,
        };
        self.findings.push(Finding {
            check: Check::ForwardDevice,
            severity: Severity::Error,
            networks: vec![name.clone()],
            summary: format!("device `{device}` of network `{name}` is {state}"),
            evidence: vec![Evidence::Interface {
                interface: device.to_string(),
                state,
            }],
            impact: format!("guests of `{name}` reach nobody outside: {meaning}"),
            fix: Fix::advice(advice),
        });
        true
    }

    fn settle(mut self, scene: &Scene) -> Result<Vec<Finding>, HostError> {
        self.findings.extend(unaddressed(scene, &self.unaddressed));
        for (elsewhere, guests) in &self.astray {
            self.findings.push(astray(scene, elsewhere, guests));
        }
        for (shut, guests) in &self.shut {
            self.findings.push(outside_is_shut(scene, shut, guests));
        }
        for (device, guests) in &self.strict {
            self.findings.push(strict(scene, device, guests));
        }
        Ok(self.findings)
    }
}

impl Guests<'_> {
    fn guest(&self) -> IpAddr {
        nth(self.subnet, 2)
    }
}

fn packet(from: IpAddr, to: IpAddr, input: &InterfaceName) -> Option<Packet> {
    let mut packet = Packet::new(from, to, TCP).ok()?;
    packet.in_interface = Some(input.clone());
    packet.source_port = Some(40_000);
    packet.destination_port = Some(443);
    Some(packet)
}

impl Scene {
    /// Gives the host its address in a subnet of a bridge: the one that is there, or the first.
    pub(super) fn add_address(&self, bridge: &InterfaceName, subnet: Subnet) -> String {
        let address = gateway(self, bridge, subnet);
        let (prefix, bridge) = (subnet.prefix(), word(bridge.as_str()));
        self.commands
            .inside(format!("ip addr add {address}/{prefix} dev {bridge}"))
    }

    /// The rule of policy routing before that of the main table that decides on a packet, if one does.
    fn deciding(
        &self,
        family: Family,
        from: Option<IpAddr>,
        to: IpAddr,
        input: Option<&InterfaceName>,
    ) -> Option<&RoutingRule> {
        let is_v4 = family == Family::Ipv4;
        let of_family = self
            .routing
            .rules()
            .iter()
            .filter(|rule| rule.source.addr().is_ipv4() == is_v4);
        let mut before = of_family.take_while(|rule| rule.table != Some(MAIN) || rule.asks_more);
        before.find(|rule| {
            let is_from = match from {
                Some(from) => rule.source.contains(&from),
                None => rule.source.prefix_len() == 0,
            };
            let is_in =
                rule.input.is_none() || rule.input.as_deref() == input.map(InterfaceName::as_str);
            let matches = !rule.asks_more && is_from && is_in && rule.destination.contains(&to);
            let decides = |table| match self.route(table, to) {
                Some(route) => route.kind != RouteKind::THROW,
                None => false,
            };
            matches && rule.table != Some(LOCAL) && rule.table.is_none_or(decides)
        })
    }

    /// The route of a table to an address.
    fn route(&self, table: u32, to: IpAddr) -> Option<&Route> {
        let routes = self.host.routes.iter();
        let holds = |route: &&Route| route.table == table && route.destination.contains(&to);
        routes
            .filter(holds)
            .max_by_key(|route| route.destination.prefix_len())
    }

    /// Whether the main table leads what is for an address through an interface.
    fn main_leads_to(&self, to: IpAddr, through: &InterfaceName) -> bool {
        let link = self.host.link(through.as_str());
        let route = self.route(MAIN, to);
        route.zip(link).is_some_and(|(route, link)| {
            route.kind == RouteKind::UNICAST && route.devices.contains(&link.index)
        })
    }
}

fn unaddressed(scene: &Scene, all: &[Guests<'_>]) -> Option<Finding> {
    if all.is_empty() {
        return None;
    }
    let networks = names(all.iter().map(|guests| guests.record));
    let evidence = all.iter().map(|guests| Evidence::Interface {
        interface: guests.bridge.to_string(),
        state: format!("has no address in {}", guests.subnet.net()),
    });
    let fix = all
        .iter()
        .map(|guests| scene.add_address(guests.bridge, guests.subnet));
    Some(Finding {
        check: Check::BridgeAddress,
        severity: Severity::Error,
        summary: format!(
            "the host has no address on the bridge of {} in its subnet",
            told(&networks)
        ),
        evidence: evidence.collect(),
        impact: format!(
            "guests of {} find no gateway, and no route leads back to them. The fix takes the first \
             address of the subnet, and lasts until a reboot: whatever makes the bridge has to add it",
            told(&networks)
        ),
        fix: Fix::commands(fix),
        networks,
    })
}

fn ip(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "ip",
        Family::Ipv6 => "ip -6",
    }
}

/// A number for a rule that is asked before another one: a round one, if there is room.
fn before(priority: u32) -> Option<u32> {
    let round = priority.saturating_sub(1) / 100 * 100;
    match (round, priority) {
        (_, 0 | 1) => None,
        (0, priority) => Some(priority - 1),
        (round, _) => Some(round),
    }
}

fn astray(scene: &Scene, elsewhere: &Elsewhere, all: &[Guests<'_>]) -> Finding {
    let networks = names(all.iter().map(|guests| guests.record));
    let Elsewhere { family, rule, to } = elsewhere;
    let ip = ip(*family);
    let leads = |guests: &Guests<'_>| scene.main_leads_to(guests.guest(), guests.bridge);
    let subnets: Vec<IpNet> = all.iter().map(|guests| guests.subnet.net()).collect();
    let priority = rule.and_then(before).filter(|_| all.iter().all(leads));
    let (fix, kept) = match (rule, priority) {
        (Some(_), Some(priority)) => {
            let commands = subnets.iter().map(|subnet| {
                let command = format!("{ip} rule add to {subnet} lookup main pref {priority}");
                scene.commands.inside(command)
            });
            (
                Fix::commands(commands),
                ". The fix lets the main table decide on what is for these guests alone, until a reboot",
            )
        }
        (None, _) if !all.iter().any(leads) && all.iter().all(|it| !scene.has_route_of(it)) => {
            let commands = all.iter().map(|guests| {
                let (subnet, bridge) = (guests.subnet.net(), word(guests.bridge.as_str()));
                let command = format!("{ip} route add {subnet} dev {bridge}");
                scene.commands.inside(command)
            });
            (
                Fix::commands(commands),
                ". The fix adds the route that an address on the bridge brings, until a reboot",
            )
        }
        _ => (
            Fix::advice(format!(
                "give the network another subnet, which no other route of the host holds: change its \
                 definition and apply it; `{}` shows the routes",
                scene.commands.inside(format!("{ip} route show table all"))
            )),
            "",
        ),
    };
    let evidence = match rule {
        Some(priority) => Evidence::Route {
            route: scene.rule_in_words(*family, *priority),
        },
        None => Evidence::Route {
            route: format!("{} {to}", subnets.first().copied().unwrap_or_default()),
        },
    };
    let by = rule.map_or_else(String::new, |priority| {
        format!(": the routing rule {priority} is consulted before the table main")
    });
    Finding {
        check: Check::GuestRoute,
        severity: Severity::Error,
        summary: format!("what is for guests of {} {to}{by}", told(&networks)),
        evidence: vec![evidence],
        impact: format!("guests of {} get no answers{kept}", told(&networks)),
        fix,
        networks,
    }
}

impl Scene {
    /// Whether the main table has a route for a subnet itself.
    fn has_route_of(&self, guests: &Guests<'_>) -> bool {
        let net = guests.subnet.net();
        let mut routes = self.host.routes.iter();
        routes.any(|route| route.table == MAIN && route.destination == net)
    }

    /// A rule as `ip rule` lists it.
    fn rule_in_words(&self, family: Family, priority: u32) -> String {
        let is_it = |rule: &&RoutingRule| {
            let is_v4 = rule.source.addr().is_ipv4();
            rule.priority == priority && is_v4 == (family == Family::Ipv4)
        };
        let rule = self.routing.rules().iter().find(is_it);
        let Some(rule) = rule else {
            return format!("rule {priority}");
        };
        let from = match rule.source.prefix_len() {
            0 => "all".to_owned(),
            _ => rule.source.to_string(),
        };
        let mut words = format!("rule {priority}: from {from}");
        if rule.destination.prefix_len() > 0 {
            words += &format!(" to {}", rule.destination);
        }
        if let Some(input) = &rule.input {
            words += &format!(" iif {input}");
        }
        match rule.table {
            Some(table) => words + &format!(" lookup {table}"),
            None => words + " refuses",
        }
    }
}

fn outside_is_shut(scene: &Scene, shut: &Shut, all: &[Guests<'_>]) -> Finding {
    let networks = names(all.iter().map(|guests| guests.record));
    let ip = ip(shut.family);
    let told_networks = told(&networks);
    let (severity, summary, evidence, advice) = match shut.rule {
        Some(priority) => (
            Severity::Error,
            format!(
                "what guests of {told_networks} send to the outside goes nowhere by the routing rule \
                 {priority}: {}",
                shut.why
            ),
            scene.rule_in_words(shut.family, priority),
            format!(
                "if guests may leave by the main table, add a rule before that one for their subnet; else \
                 add a default route to the table that it names. `{}` and `{}` show both",
                scene.commands.inside(format!("{ip} rule")),
                scene.commands.inside(format!("{ip} route show table all"))
            ),
        ),
        None if shut.is_missing => (
            Severity::Warning,
            format!("the host has no {} route to the outside", shut.family),
            format!("default: none for {}", shut.family),
            format!(
                "connect the host, or add the route by its router: `{}`",
                scene
                    .commands
                    .inside(format!("{ip} route add default via ROUTER"))
            ),
        ),
        None => (
            Severity::Error,
            format!(
                "the host's {} route to the outside leads nowhere: {}",
                shut.family, shut.why
            ),
            "default".to_owned(),
            format!(
                "replace it by one that leads to a router; `{}` shows it",
                scene.commands.inside(format!("{ip} route show default"))
            ),
        ),
    };
    Finding {
        check: Check::OutsideRoute,
        severity,
        summary,
        evidence: vec![Evidence::Route { route: evidence }],
        impact: format!("guests of {told_networks} reach nobody beyond the host's own links"),
        fix: Fix::advice(advice),
        networks,
    }
}

/// Strict filtering of sources (`rp_filter`): a packet is lost without a word where the way back to its
/// source does not lead through the interface that it came in by.
fn strict(scene: &Scene, device: &str, all: &[Guests<'_>]) -> Finding {
    let networks = names(all.iter().map(|guests| guests.record));
    let own = format!("net/ipv4/conf/{device}/rp_filter");
    let files = ["net/ipv4/conf/all/rp_filter", own.as_str()];
    let strict = files
        .into_iter()
        .filter(|path| scene.settings.is(path, "1"));
    let (severity, what) = match all.iter().any(|guests| guests.bridge.as_str() == device) {
        true => (Severity::Error, "what guests send"),
        false => (Severity::Warning, "answers to guests"),
    };
    Finding {
        check: Check::RpFilter,
        severity,
        summary: format!(
            "`{device}` filters sources strictly (rp_filter), and the host's routes lead elsewhere"
        ),
        evidence: strict.map(|path| scene.settings.evidence(path)).collect(),
        impact: format!(
            "{what}, of {}, is dropped as it comes in by `{device}`; 2 filters loosely. To keep it over a \
             reboot, write it into a file in /etc/sysctl.d",
            told(&networks)
        ),
        fix: Fix::commands([scene.commands.sysctl(&own, "2")]),
        networks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_put_before_others() {
        let all = [
            (5270, Some(5200)),
            (100, Some(99)),
            (101, Some(100)),
            (2, Some(1)),
            (1, None),
        ];
        for (priority, expected) in all {
            assert_eq!(before(priority), expected, "{priority}");
        }
    }
}
