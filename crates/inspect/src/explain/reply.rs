//! The way back of a packet that passes.

use palisade_core::evaluate::{Flow, Packet};
use palisade_core::network::InterfaceName;
use palisade_netlink::rtnetlink::HostError;
use serde::Serialize;

use super::conclusion::Conclusion;
use super::dnat::Scenery;
use crate::routing::{NoWay, Way, is_for_all};

/// ICMP's and ICMPv6's numbers.
const ICMP: [u8; 2] = [1, 58];

/// What becomes of the answer to a packet that passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// What becomes of it.
    pub verdict: Conclusion,
    /// Why, where it does not come back for sure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// The interface through which it leaves, where that is another than the packet came in through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaves_by: Option<InterfaceName>,
}

impl Reply {
    /// What to say of it beside a packet that passes; none if it comes back.
    pub(super) fn caveat(&self) -> Option<String> {
        let because = self.because.as_deref().unwrap_or_default();
        match self.verdict {
            Conclusion::Accept => self.leaves_by.as_ref().map(|device| {
                format!("its answer leaves through `{device}`, by which it did not come")
            }),
            Conclusion::Unknown => Some(format!(
                "whether its answer comes back is not known: {because}"
            )),
            Conclusion::Reject | Conclusion::Drop | Conclusion::Unroutable => {
                Some(format!("its answer does not come back: {because}"))
            }
        }
    }

    fn stopped(no_way: &NoWay) -> Self {
        Self {
            verdict: Conclusion::Unroutable,
            because: Some(no_way.to_string()),
            leaves_by: None,
        }
    }
}

impl Scenery<'_> {
    /// The way back of a packet that passed: it came as the first, and left as the second. None where no
    /// host is asked, or nothing answers.
    pub(super) fn reply(&self, came: &Packet, left: &Packet) -> Result<Option<Reply>, HostError> {
        let Some(routing) = self.routing else {
            return Ok(None);
        };
        // What goes to everybody in a subnet is answered with another address.
        let is_to_all = left.out_interface.is_none() && !routing.is_own(left.destination());
        let is_answered = !is_for_all(left.destination())
            && !is_to_all
            && !came.source().is_unspecified()
            && came.flow == Flow::New;
        // From guest to guest of one bridge, no route is needed; and interfaces that do not exist have none.
        let is_switched = came.in_interface == left.out_interface;
        let is_there = |name: &InterfaceName| routing.host.link(name.as_str()).is_some();
        let mut passed = [&came.in_interface, &left.out_interface]
            .into_iter()
            .flatten();
        let is_asked = is_answered && !is_switched && passed.all(is_there);
        let Some(mut packet) = answer(came, left).filter(|_| is_asked) else {
            return Ok(None);
        };
        // A route by which answers leave is asked for with the addresses that they have then.
        let way = routing.way(&packet)?;
        match way {
            Way::Nowhere(no_way) => return Ok(Some(Reply::stopped(&no_way))),
            Way::ToHost => packet.out_interface = None,
            Way::On(way) => {
                if let Err(no_way) = routing.carries(&way.device, &packet) {
                    return Ok(Some(Reply::stopped(&no_way)));
                }
                packet.out_interface = Some(way.device);
            }
        }
        packet.redirected = left.redirected;
        if let Some(input) = &packet.in_interface {
            let ends = [packet.source(), packet.destination()];
            packet.reverse_path = routing.is_reached(ends, input)?;
        }
        let outcome = self.ground.evaluate(&packet);
        let stop = outcome
            .path
            .iter()
            .rfind(|visit| visit.matched == Some(true));
        let is_unsure = self.asks_marks(&packet) && self.ground.before_routing(&packet).is_marked;
        let verdict = match is_unsure {
            true => Conclusion::Unknown,
            false => Conclusion::of(&outcome),
        };
        let because = match verdict {
            Conclusion::Accept => None,
            Conclusion::Unknown => outcome.doubts.first().map(|doubt| {
                format!(
                    "{} {}: {}: {}",
                    doubt.table, doubt.chain, doubt.rule, doubt.why
                )
            }),
            Conclusion::Reject | Conclusion::Drop | Conclusion::Unroutable => stop.map(|visit| {
                let table = visit.table.as_deref().unwrap_or_default();
                format!("{table} {}: {}", visit.chain, visit.rule)
            }),
        };
        let leaves_by = packet.out_interface.filter(|out| {
            let came_by = came.in_interface.as_ref();
            came_by.is_some_and(|came_by| came_by != out)
        });
        Ok(Some(Reply {
            verdict,
            because,
            leaves_by,
        }))
    }
}

/// The answer to a packet as it comes back; none where there are no ports and no echo to answer.
fn answer(came: &Packet, left: &Packet) -> Option<Packet> {
    let mut answer = Packet::new(left.destination(), came.source(), came.protocol).ok()?;
    answer.in_interface.clone_from(&left.out_interface);
    if !ICMP.contains(&came.protocol) {
        answer.source_port = left.destination_port;
        answer.destination_port = came.source_port;
    }
    answer.flow = Flow::Established;
    Some(answer)
}
