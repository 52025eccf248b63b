//! Rules of policy routing, as `ip rule` lists them: `linux/fib_rules.h`.

use std::net::IpAddr;

use ipnet::IpNet;

use super::request::{address, dump as request, number};
use super::{HostError, host};
use crate::attribute::Attributes;
use crate::{Family, Malformed, Message, Transport};

/// `RTM_NEWRULE`: a rule.
const RULE: u16 = 32;
/// `RTM_GETRULE`.
const GET: u16 = 34;

/// `FRA_DST`, `FRA_SRC`, `FRA_IIFNAME`, `FRA_PRIORITY`, `FRA_FWMARK`, `FRA_TABLE`, `FRA_OIFNAME`.
const DESTINATION: u16 = 1;
const SOURCE: u16 = 2;
const INPUT: u16 = 3;
const PRIORITY: u16 = 6;
const MARK: u16 = 10;
const TABLE: u16 = 15;
const OUTPUT: u16 = 17;
/// `struct fib_rule_hdr` before the attributes: family, prefixes of destination and source, tos, table,
/// two that are reserved, action, flags.
const HEAD: usize = 12;
/// `FIB_RULE_INVERT`.
const INVERTED: u32 = 2;
/// `FR_ACT_TO_TBL`.
const TO_TABLE: u8 = 1;

/// A rule of policy routing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutingRule {
    /// Rules of lower numbers are asked first.
    pub priority: u32,
    /// Where packets come from; everything if that is 0 bits long.
    pub source: IpNet,
    /// Where they go.
    pub destination: IpNet,
    /// The table in which they are looked up; none if the rule itself refuses them.
    pub table: Option<u32>,
    /// The interface that they come in through.
    pub input: Option<String>,
    /// Whether it asks for the mark.
    pub asks_mark: bool,
    /// Whether it asks for more than packets without a mark that are forwarded can tell.
    pub asks_more: bool,
}

impl RoutingRule {
    /// All rules that this socket reads, in their order.
    pub(super) fn read(socket: &mut dyn Transport) -> Result<Vec<Self>, HostError> {
        let mut bytes = Vec::new();
        request(&mut bytes, GET);
        let mut rules = host::dump(socket, ("its routing rules", &bytes), decode)?;
        rules.sort_by_key(|rule| rule.priority);
        Ok(rules)
    }
}

fn decode(message: &Message<'_>) -> Result<Option<RoutingRule>, Malformed> {
    let body = message.payload;
    let (RULE, Some(&[family, to, from, _, table, _, _, action]), Some(flags)) = (
        message.header.kind,
        body.first_chunk(),
        number(body.get(8..HEAD)),
    ) else {
        return Ok(None);
    };
    let any: IpAddr = match Family::from_number(family) {
        Family::Ip => [0u8; 4].into(),
        Family::Ip6 => [0u8; 16].into(),
        _ => return Ok(None),
    };
    let (mut source, mut destination, mut priority) = (any, any, 0);
    let (mut table, mut input) = (u32::from(table), None);
    let mut asks_more = flags & INVERTED != 0;
    let mut asks_mark = false;
    for attribute in Attributes::of("rule", body.get(HEAD..).unwrap_or_default()) {
        let attribute = attribute?;
        match attribute.number() {
            DESTINATION => destination = address(attribute.bytes).unwrap_or(any),
            SOURCE => source = address(attribute.bytes).unwrap_or(any),
            PRIORITY => priority = number(Some(attribute.bytes)).unwrap_or(0),
            TABLE => table = number(Some(attribute.bytes)).unwrap_or(table),
            INPUT => {
                let end = attribute.bytes.iter().position(|&byte| byte == 0);
                let name = &attribute.bytes[..end.unwrap_or(attribute.bytes.len())];
                input = Some(String::from_utf8_lossy(name).into_owned());
            }
            MARK => asks_mark |= number(Some(attribute.bytes)) != Some(0),
            OUTPUT => asks_more = true,
            _ => {}
        }
    }
    let (Ok(source), Ok(destination)) = (IpNet::new(source, from), IpNet::new(destination, to))
    else {
        return Ok(None);
    };
    Ok(Some(RoutingRule {
        priority,
        source,
        destination,
        table: (action == TO_TABLE).then_some(table),
        input,
        asks_mark,
        asks_more: asks_more || asks_mark,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Header, attribute, message, messages};

    /// As the kernel prints `ip rule add from 10.0.0.0/24 lookup 200 pref 100`.
    #[test]
    fn a_rule_for_a_subnet() {
        let head = [2, 0, 24, 0, 200, 0, 0, TO_TABLE, 0, 0, 0, 0];
        let mut bytes = Vec::new();
        message::put(&mut bytes, Header::request(RULE, 2, 0), &head, |body| {
            attribute::bytes(body, SOURCE, &[10, 0, 0, 0]);
            attribute::bytes(body, PRIORITY, &100u32.to_ne_bytes());
            attribute::bytes(body, TABLE, &200u32.to_ne_bytes());
        });
        let message = messages(&bytes).next().unwrap().unwrap();
        let rule = decode(&message).unwrap().unwrap();
        assert_eq!(rule.source.to_string(), "10.0.0.0/24");
        assert_eq!(rule.destination.prefix_len(), 0);
        assert_eq!((rule.priority, rule.table), (100, Some(200)));
        assert!(!rule.asks_more);
    }
}
