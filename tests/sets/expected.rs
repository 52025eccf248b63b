//! What `explain` says becomes of a question, of all that stands in the kernel: of its first packet,
//! and of the answer.

use std::net::{IpAddr, SocketAddr};

use palisade::Firewall;
use palisade_core::evaluate::{Difference, Fate as PacketFate, Flow, Meaning, Nat, Verdict};
use palisade_core::network::PortRange;
use palisade_inspect::Inspector;
use palisade_inspect::explain::{self, Conclusion, Explanation};

use crate::ask::Fate;
use crate::ground::Ground;
use crate::means::Means;
use crate::questions::Question;

/// What is said of one question.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) ending: Ending,
    pub(crate) first: Explanation,
    answer: Option<Explanation>,
}

/// How it ends, with the sources that may be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    Answered(Sources),
    Arrived(Sources),
    Refused,
    Lost,
}

/// One of several addresses, with one port of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sources {
    addresses: Vec<IpAddr>,
    ports: [u16; 2],
}

impl Sources {
    fn hold(&self, source: SocketAddr) -> bool {
        let [first, last] = self.ports;
        self.addresses.contains(&source.ip()) && (first..=last).contains(&source.port())
    }
}

impl Ending {
    /// Whether it is what became of the question.
    pub(crate) fn is_that_of(&self, fate: Fate) -> bool {
        match (self, fate) {
            (Self::Answered(sources), Fate::Answered(source))
            | (Self::Arrived(sources), Fate::Arrived(source)) => sources.hold(source),
            (Self::Refused, Fate::Refused) | (Self::Lost, Fate::Lost) => true,
            _ => false,
        }
    }
}

impl Told {
    /// The documented difference by which `mapped` treats the first packet or the answer otherwise
    /// than `flat`.
    pub(crate) fn difference(&self, flat: &Self, meaning: &Meaning) -> Option<Difference> {
        let answers = self.answer.as_ref().zip(flat.answer.as_ref());
        let pairs = [(&self.first, &flat.first)].into_iter().chain(answers);
        pairs.into_iter().find_map(|(mapped, flat)| {
            Difference::between(meaning, &mapped.packet, &fate(flat), &fate(mapped))
        })
    }
}

fn fate(explanation: &Explanation) -> PacketFate {
    PacketFate {
        verdict: match explanation.verdict {
            Conclusion::Accept => Verdict::Accept,
            Conclusion::Reject => Verdict::Reject,
            Conclusion::Drop => Verdict::Drop,
            Conclusion::Unroutable | Conclusion::Unknown => panic!("{explanation:?}"),
        },
        nat: explanation.nat,
    }
}

/// What is said of each question, where it is listened to this port.
pub(crate) fn explain_all(
    firewall: &mut Firewall,
    ground: &Ground,
    questions: &[Question],
    port: u16,
) -> Vec<Told> {
    let asked = questions.iter().map(|question| first(question, port));
    let asked: Vec<explain::Question> = asked.collect();
    let answered = questions.iter().filter(|question| is_answered(question));
    let answers: Vec<explain::Question> = answered.map(|question| answer(question, port)).collect();
    let mut inspector = Inspector::of(firewall);
    let asked = inspector.explain_all(&asked).expect("explain packets");
    let mut answers = inspector
        .explain_all(&answers)
        .expect("explain answers")
        .into_iter();
    let told = questions.iter().zip(asked).map(|(question, first)| {
        let answer = is_answered(question).then(|| answers.next().expect("one for each"));
        for explanation in [Some(&first), answer.as_ref()].into_iter().flatten() {
            assert_eq!(explanation.undecided, [], "{question:?}: {explanation:?}");
        }
        // The first packet decided for both ways.
        if let (true, Some(answer)) = (is_translated(&first), &answer)
            && answer.verdict == Conclusion::Accept
            && answer.packet.is_forwarded()
        {
            assert_eq!(answer.nat, Nat::Decided, "the answer to {question:?}");
        }
        Told {
            ending: ending(ground, question, &first, answer.as_ref()),
            first,
            answer,
        }
    });
    told.collect()
}

fn is_translated(explanation: &Explanation) -> bool {
    explanation.nat.translates()
}

fn is_answered(question: &Question) -> bool {
    question.means != Means::ToAll
}

fn first(question: &Question, port: u16) -> explain::Question {
    let name = |device: Option<String>| device.map(|name| name.parse().expect("a name"));
    explain::Question {
        in_interface: name(question.from.device()),
        out_interface: name(question.to.device()),
        source: Some(question.source),
        destination: Some(question.destination),
        protocol: Some(question.means.protocol(question.source)),
        source_port: question.source_port,
        destination_port: question.means.has_ports().then_some(port),
        ..explain::Question::default()
    }
}

/// Of a flow that is known, as its sender sees it.
fn answer(question: &Question, port: u16) -> explain::Question {
    let first = first(question, port);
    explain::Question {
        in_interface: first.out_interface,
        out_interface: first.in_interface,
        source: first.destination,
        destination: first.source,
        source_port: first.destination_port,
        destination_port: first.source_port,
        flow: Some(Flow::Established),
        ..first
    }
}

fn ending(
    ground: &Ground,
    question: &Question,
    first: &Explanation,
    answer: Option<&Explanation>,
) -> Ending {
    let is_heard = |explanation: &Explanation| explanation.verdict == Conclusion::Accept;
    // What is said in return goes to where nobody is; and nobody refuses what is said to all.
    let is_deaf = question.is_lie || question.means == Means::ToAll;
    match first.verdict {
        Conclusion::Accept if !is_deaf && answer.is_some_and(is_heard) => {
            Ending::Answered(sources(ground, question, first.nat))
        }
        // A connection needs its answer before anybody hears of it.
        Conclusion::Accept if question.means == Means::Tcp => Ending::Lost,
        Conclusion::Accept => Ending::Arrived(sources(ground, question, first.nat)),
        Conclusion::Reject if !is_deaf => Ending::Refused,
        Conclusion::Reject | Conclusion::Drop => Ending::Lost,
        Conclusion::Unroutable | Conclusion::Unknown => panic!("{question:?}: {first:?}"),
    }
}

fn sources(ground: &Ground, question: &Question, nat: Nat) -> Sources {
    let own = || vec![question.source];
    let (addresses, ports) = match nat {
        Nat::None | Nat::Decided | Nat::Dnat { .. } => (own(), None),
        Nat::Masquerade { ports } => {
            let device = question.to.device();
            let device = device.expect("what the host takes itself is not translated");
            (
                ground.addresses_towards(&device, question.destination),
                ports,
            )
        }
        Nat::Snat { addresses, ports } => {
            let all = u32::from(addresses.start())..=u32::from(addresses.end());
            let all = all.map(|address| IpAddr::V4(address.into()));
            (all.collect(), ports)
        }
    };
    let sent = question.source_port.unwrap_or(0);
    let kept = [sent, sent];
    let range = |ports: PortRange| [ports.start(), ports.end()];
    Sources {
        addresses,
        ports: ports.map_or(kept, range),
    }
}
