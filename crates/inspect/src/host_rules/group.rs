//! What can be asked of installed tables, whatever their technology.

use palisade_core::evaluate::Ground;
use palisade_core::location::Location;
use palisade_core::network::{Family, InterfaceName};
use palisade_core::owner::Owner;
use palisade_core::rules::ProbePacket;
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

    /// Whether packets of a family pass the tables.
    fn sees(&self, family: Family) -> bool;

    /// Whether the tables see frames on bridges or devices.
    fn sees_frames(&self) -> bool;

    /// The tables alone.
    fn alone(&self) -> Ground<'_>;

    /// The policy of a chain that drops, in the words of the program.
    fn drop_policy(&self) -> &'static str;

    /// Commands that let packets pass the base chain `chain`.
    fn allow(&self, chain: &str, passage: Passage<'_>) -> Vec<String>;

    /// How such a command is kept, and other advice about the owner.
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

/// Packets that must pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passage<'a> {
    pub(crate) bridge: &'a InterfaceName,
    pub(crate) packet: &'static ProbePacket,
    /// The ports of the bridge.
    pub(crate) ports: &'a [String],
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
