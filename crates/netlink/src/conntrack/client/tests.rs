//! Against a kernel that plays ctnetlink and rtnetlink: it holds flows, and takes deletions by
//! ends and number.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};

use super::super::flow::{Addresses, ProtocolKey, Tuple};
use palisade_core::Hint;

use super::*;
use crate::{Header, TransportError, messages};

#[derive(Default)]
struct Kernel {
    flows: Vec<Flow>,
    addresses: Vec<Ipv4Addr>,
    /// It has no ctnetlink, and says so in this way.
    missing: Option<Errno>,
    /// What it does when it was asked for flows, before any is deleted.
    meanwhile: Option<fn(&mut Vec<Flow>)>,
    /// Flows to this address are not deleted.
    holds: Option<IpAddr>,
    /// Of each answer, this many messages at the end are lost.
    lost: usize,
    /// The types of messages in each request.
    asked: Vec<Vec<u16>>,
}

/// Both sockets lead to it.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Kernel>>);

impl Shared {
    fn kernel(&self) -> MutexGuard<'_, Kernel> {
        self.0.lock().unwrap()
    }

    fn conntrack(&self) -> Conntrack {
        Conntrack::over(Box::new(self.clone()), Box::new(self.clone()))
    }
}

impl Transport for Shared {
    fn exchange(&mut self, request: &[u8], replies: &mut Vec<u8>) -> Result<(), TransportError> {
        let mut kernel = self.kernel();
        let messages: Vec<Message<'_>> = messages(request).map(Result::unwrap).collect();
        let kinds = messages.iter().map(|message| message.header.kind);
        kernel.asked.push(kinds.collect());
        let mut answers = Vec::new();
        for message in &messages {
            answers.extend(kernel.answer(message));
        }
        let kept = answers.len().saturating_sub(kernel.lost);
        replies.extend(answers[..kept].concat());
        Ok(())
    }
}

impl Kernel {
    /// The messages of the answer.
    fn answer(&mut self, request: &Message<'_>) -> Vec<Vec<u8>> {
        const MULTI: u16 = 2;
        const ACK: u16 = 4;
        match request.header.kind {
            address::GET => {
                let address = |address: &Ipv4Addr| {
                    // A device's number, and IFA_LOCAL.
                    let body = [&[1, 0, 0, 0, 8, 0, 2, 0][..], &address.octets()].concat();
                    raw(
                        address::ADDRESS,
                        MULTI,
                        &[&[2, 32, 0, 0], &body[..]].concat(),
                    )
                };
                let mut answers: Vec<_> = self.addresses.iter().map(address).collect();
                answers.push(raw(Header::DONE, MULTI, &[0; 4]));
                answers
            }
            _ if self.missing.is_some() => {
                let errno = self.missing.map_or(0, |errno| errno as i32);
                vec![refusal(request, errno)]
            }
            wire::STATISTICS => {
                let count = u32::try_from(self.flows.len()).unwrap().to_be_bytes();
                let body = [&[0, 0, 0, 0, 8, 0, 1, 0][..], &count].concat();
                vec![raw(wire::STATISTICS, MULTI, &body)]
            }
            wire::GET => {
                let flow = |flow: &Flow| {
                    let mut body = vec![2, 0, 0, 0];
                    wire::encode(flow, &mut body);
                    raw(wire::FLOW, MULTI, &body)
                };
                let mut answers: Vec<_> = self.flows.iter().map(flow).collect();
                answers.push(raw(Header::DONE, MULTI, &[0; 4]));
                if let Some(meanwhile) = self.meanwhile {
                    meanwhile(&mut self.flows);
                }
                answers
            }
            wire::DELETE => {
                let is_meant = |flow: &Flow| {
                    let mut key = Vec::new();
                    wire::encode_key(flow, &mut key);
                    Ok(key.as_slice()) == body(request)
                };
                let error = match self.flows.iter().position(is_meant) {
                    None => Errno::ENOENT as i32,
                    Some(at) if Some(self.flows[at].target()) == self.holds => Errno::EBUSY as i32,
                    Some(at) => {
                        self.flows.remove(at);
                        0
                    }
                };
                let is_told = error != 0 || request.header.flags & ACK != 0;
                is_told
                    .then(|| refusal(request, error))
                    .into_iter()
                    .collect()
            }
            kind => panic!("a message of type {kind:#x}"),
        }
    }
}

/// A message with this behind its header.
fn raw(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(16 + payload.len()).unwrap();
    let head = [kind.to_ne_bytes(), flags.to_ne_bytes()].concat();
    [&len.to_ne_bytes()[..], &head, &[0; 8], payload].concat()
}

/// A reply, with the request's header.
fn refusal(request: &Message<'_>, errno: i32) -> Vec<u8> {
    let payload = [&(-errno).to_ne_bytes()[..], &request.bytes[..16]].concat();
    raw(Header::ERROR, 0x100, &payload)
}

fn flow(id: u32, source: [u8; 4], destination: [u8; 4]) -> Flow {
    let tuple = |source: [u8; 4], destination: [u8; 4]| Tuple {
        addresses: Addresses::V4 {
            source: source.into(),
            destination: destination.into(),
        },
        protocol: 17,
        key: ProtocolKey::Ports {
            source: 1000,
            destination: 2000,
        },
        zone: None,
    };
    Flow {
        original: tuple(source, destination),
        reply: tuple(destination, source),
        status: 0,
        id,
        mark: 0,
        zone: None,
    }
}

const WORLD: [u8; 4] = [192, 0, 2, 2];

fn subnets() -> Vec<Subnet> {
    vec!["10.1.0.0/24".parse().unwrap()]
}

/// Flows of 250 guests, of one that is not ours, and of one to the host.
fn busy() -> Shared {
    let shared = Shared::default();
    let mut kernel = shared.kernel();
    kernel
        .flows
        .extend((0..250).map(|i| flow(i, [10, 1, 0, i as u8], WORLD)));
    kernel.flows.insert(100, flow(1000, [10, 2, 0, 1], WORLD));
    kernel.flows.push(flow(1001, [10, 1, 0, 9], [192, 0, 2, 1]));
    kernel.addresses = vec![[192, 0, 2, 1].into()];
    drop(kernel);
    shared
}

#[test]
fn exactly_those_in_few_requests() {
    let shared = busy();
    let deleted = shared
        .conntrack()
        .delete_untranslated(&subnets(), KeptFlows::default());
    assert_eq!(deleted.unwrap(), 250);
    let kernel = shared.kernel();
    let left: Vec<u32> = kernel.flows.iter().map(|flow| flow.id).collect();
    assert_eq!(left, [1000, 1001]);
    let requests: Vec<usize> = kernel.asked.iter().map(Vec::len).collect();
    assert_eq!(requests, [1, 1, 1, 100, 100, 50]);
}

/// Without flows, the kernel's table is not walked; without subnets, nothing is asked at all.
#[test]
fn nothing_costs_nothing() {
    let shared = Shared::default();
    assert_eq!(
        shared
            .conntrack()
            .delete_untranslated(&subnets(), KeptFlows::default())
            .unwrap(),
        0
    );
    assert_eq!(shared.kernel().asked, [[wire::STATISTICS]]);
    let shared = busy();
    assert_eq!(
        shared
            .conntrack()
            .delete_untranslated(&[], KeptFlows::default())
            .unwrap(),
        0
    );
    assert!(shared.kernel().asked.is_empty());
}

#[test]
fn what_ended_meanwhile_is_no_error_and_a_new_flow_is_not_cut() {
    let shared = busy();
    shared.kernel().meanwhile = Some(|flows| {
        flows.retain(|flow| flow.id != 7);
        flows
            .iter_mut()
            .filter(|flow| flow.id == 8)
            .for_each(|flow| flow.id = 2008);
    });
    let deleted = shared
        .conntrack()
        .delete_untranslated(&subnets(), KeptFlows::default());
    assert_eq!(deleted.unwrap(), 248);
    let mut left: Vec<u32> = shared.kernel().flows.iter().map(|flow| flow.id).collect();
    left.sort_unstable();
    assert_eq!(left, [1000, 1001, 2008]);
}

#[test]
fn a_kernel_without_ctnetlink() {
    for errno in [
        Errno::EINVAL,
        Errno::EOPNOTSUPP,
        Errno::ENOENT,
        Errno::EPROTONOSUPPORT,
    ] {
        let shared = busy();
        shared.kernel().missing = Some(errno);
        let error = shared
            .conntrack()
            .delete_untranslated(&subnets(), KeptFlows::default())
            .unwrap_err();
        assert!(
            matches!(error, ConntrackError::Missing(found) if found == errno),
            "{error:?}"
        );
        assert!(
            error.hint().contains("nf_conntrack_netlink"),
            "{}",
            error.hint()
        );
    }
    let shared = busy();
    shared.kernel().missing = Some(Errno::EPERM);
    let error = shared
        .conntrack()
        .delete_untranslated(&subnets(), KeptFlows::default())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the kernel does not answer for the number of flows: operation not permitted"
    );
}

#[test]
fn what_the_kernel_holds_is_told_and_the_rest_goes() {
    let shared = busy();
    let mut kernel = shared.kernel();
    kernel.flows[3] = flow(3, [10, 1, 0, 3], [203, 0, 113, 9]);
    kernel.holds = Some([203, 0, 113, 9].into());
    drop(kernel);
    let error = shared
        .conntrack()
        .delete_untranslated(&subnets(), KeptFlows::default())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the kernel keeps 1 of 250 flows: device or resource busy"
    );
    assert_eq!(shared.kernel().flows.len(), 3);
}

/// Whatever the kernel leaves out, it is not taken for "nothing to do".
#[test]
fn an_answer_that_breaks_off_is_none() {
    let shared = busy();
    shared.kernel().lost = 1;
    let mut conntrack = shared.conntrack();
    assert!(matches!(conntrack.count(), Err(ConntrackError::Cut { .. })));
    assert!(matches!(
        conntrack.host_addresses(),
        Err(ConntrackError::Cut { .. })
    ));
    let found = conntrack.flows(Family::Ip, |_| {}, |_| true);
    assert!(matches!(found, Err(ConntrackError::Cut { .. })));
    let flows = shared.kernel().flows.clone();
    assert!(matches!(
        conntrack.delete(&flows),
        Err(ConntrackError::Cut { .. })
    ));
}

#[test]
fn one_walk_for_both_families() {
    let [v4, v6] = network::Family::BOTH;
    assert_eq!(family([v4, v4].into_iter()), Family::Ip);
    assert_eq!(family([v6].into_iter()), Family::Ip6);
    assert_eq!(family([v4, v6].into_iter()), Family::Other(0));
}
