//! What can be asked of installed tables, whatever their technology.

use ipnet::IpNet;
use palisade_core::evaluate::{Ground, Hook, HookLayer, Member};
use palisade_core::location::Location;
use palisade_core::network::{Family, InterfaceName};
use palisade_core::owner::Owner;
use palisade_core::rules::{Carries, ProbePacket};
use palisade_netlink::rtnetlink::Link;

use crate::libvirt::Matched;

/// Tables that one program lists together.
pub(crate) trait TableGroup {
    /// The program that manages the tables; [`Owner::Palisade`] if no other one has rules there.
    fn owner(&self) -> Owner;

    /// The location of palisade's rules, if it has rules there.
    fn location(&self) -> Location;

    /// The program that lists and changes the tables, as evidence names it.
    fn program(&self) -> String;

    /// Whether the tables see frames on bridges or devices.
    fn sees_frames(&self) -> bool;

    /// The tables, as a part of all that packets pass.
    fn member(&self) -> Member<'_>;

    /// The tables alone.
    fn alone(&self) -> Ground<'_> {
        Ground::new([self.member()])
    }

    /// The policy of a chain that drops, in the words of the program.
    fn drop_policy(&self) -> &'static str;

    /// The change that should let packets pass a base chain; none if no command does.
    fn allow(&self, stop: StopPlace<'_>, passage: &Passage<'_>) -> Option<Change>;

    /// The tables alone with these changes.
    fn with(&self, changes: &[Change]) -> Ground<'static>;

    /// How such a change is kept, and other advice about the owner.
    fn advice(&self) -> &'static str;

    /// What palisade has in these tables, and how it is removed. Other programs' rules are kept, and
    /// what they need.
    fn palisades(&self) -> Vec<Removal>;

    /// The places of libvirt's rules.
    fn libvirts(&self) -> Vec<Place>;

    /// libvirt's rules, on a host with these interfaces.
    fn libvirt_rules(&self, links: &[Link]) -> Vec<Matched>;

    /// Commands that remove those of libvirt's rules that `is_meant` accepts.
    fn remove_libvirt_rules(
        &self,
        links: &[Link],
        is_meant: &dyn Fn(&Matched) -> bool,
    ) -> Vec<String>;

    /// Commands that remove all that libvirt has here.
    fn remove_libvirt(&self) -> Vec<String>;
}

/// The base chain at which packets are stopped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StopPlace<'a> {
    /// Its table, as the program names it.
    pub(crate) table: &'a str,
    pub(crate) chain: &'a str,
    pub(crate) layer: HookLayer,
    pub(crate) hook: Hook,
    /// Whether it sees packets before conntrack does.
    pub(crate) is_before_conntrack: bool,
}

/// Packets that must pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passage<'a> {
    pub(crate) bridge: &'a InterfaceName,
    /// The device that leads outside.
    pub(crate) outside: &'a InterfaceName,
    /// The guests: a subnet, or one of them.
    pub(crate) guests: IpNet,
    /// Whether only some of the guests of the bridge are meant.
    pub(crate) is_part: bool,
    /// Whether guests leave with the host's address.
    pub(crate) is_translated: bool,
    pub(crate) packet: ProbePacket,
    /// Whether they are for one port of a guest.
    pub(crate) is_for_port: bool,
    /// The ports of the bridge.
    pub(crate) ports: &'a [String],
}

/// A rule at the head of a chain that lets packets pass, and the commands that add it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Change {
    pub(crate) commands: Vec<String>,
    pub(crate) table: String,
    pub(crate) chain: String,
    pub(crate) opening: Opening,
}

/// The packets that a rule accepts: everything that is named here must hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Opening {
    pub(crate) family: Family,
    /// The interfaces that they come in through, if they are named.
    pub(crate) input: Vec<String>,
    /// The interfaces that they leave through, if they are named.
    pub(crate) output: Vec<String>,
    pub(crate) source: Option<IpNet>,
    pub(crate) destination: Option<IpNet>,
    /// What they carry: the port that they go to, or the type of a message.
    pub(crate) carries: Option<Carries>,
    /// Whether they belong to established connections, or are errors about them.
    pub(crate) is_of_known_flow: bool,
}

impl Opening {
    /// For packets that are stopped at a hook, which knows the interface that they came in through or does
    /// not. None if they cannot be told from others there.
    pub(crate) fn of(
        stop: StopPlace<'_>,
        passage: &Passage<'_>,
        knows_input: bool,
    ) -> Option<Self> {
        let packet = &passage.packet;
        let bridge = vec![passage.bridge.to_string()];
        let is_frame = stop.layer == HookLayer::Bridge;
        let sides = if is_frame {
            passage.ports.to_vec()
        } else {
            bridge
        };
        let knows_output = matches!(
            stop.hook,
            Hook::Forward | Hook::Output | Hook::Postrouting | Hook::Egress
        );
        let mut opening = Self {
            family: match passage.guests {
                IpNet::V4(_) => Family::Ipv4,
                IpNet::V6(_) => Family::Ipv6,
            },
            input: Vec::new(),
            output: Vec::new(),
            source: None,
            destination: None,
            carries: None,
            is_of_known_flow: false,
        };
        let guests = Some(passage.guests);
        let is_to_guest = packet.comes_in() || packet.is_from_host() || packet.stays_on_bridge();
        if is_to_guest && knows_output {
            opening.output = sides.clone();
            opening.destination = guests.filter(|_| passage.is_part && !is_frame);
        }
        if packet.stays_on_bridge() && (knows_input || !knows_output) {
            opening.input = sides;
        } else if packet.comes_in() && !knows_output {
            opening.input = vec![passage.outside.to_string()];
            if !is_frame && !passage.is_translated {
                opening.destination = guests;
            }
        } else if !is_to_guest {
            opening.source = guests.filter(|_| passage.is_part || !knows_input);
            if knows_input {
                opening.input = sides;
            } else {
                opening.output = vec![passage.outside.to_string()];
            }
        }
        if passage.is_for_port || packet.is_for_host() {
            opening.carries = Some(packet.carries);
        }
        if packet.is_of_known_flow() && !is_frame && !stop.is_before_conntrack {
            opening.is_of_known_flow = packet.comes_in();
        } else if packet.comes_in() && passage.is_translated && !knows_output {
            // It has the host's address there, like everything else for the host.
            return None;
        }
        let is_named = !opening.input.is_empty() || !opening.output.is_empty();
        is_named.then_some(opening)
    }
}

/// A place in the tables of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) table: String,
    /// `None` if it is the whole table.
    pub(crate) chain: Option<String>,
}

/// The rules at a place, and the command that removes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Removal {
    pub(crate) place: Place,
    pub(crate) command: String,
}
