//! The networks of a case: always the same ones, and none in another's way.

use palisade::Network;
use palisade::definition::{Source, parse};

/// The NAT network of this number, as libvirt's users define it. A network owns a /24 of
/// 10.0.0.0/8: there are 65,536 of them.
pub(super) fn definition(number: u16) -> String {
    let [high, low] = number.to_be_bytes();
    format!(
        "<network>\n  \
           <name>net{number:05}</name>\n  \
           <forward mode='nat'/>\n  \
           <bridge name='virbr{number}' stp='on' delay='0'/>\n  \
           <ip address='10.{high}.{low}.1' netmask='255.255.255.0'>\n    \
             <dhcp>\n      \
               <range start='10.{high}.{low}.2' end='10.{high}.{low}.254'/>\n    \
             </dhcp>\n  \
           </ip>\n\
         </network>\n"
    )
}

/// The first so many networks.
pub(super) fn networks(count: usize) -> Result<Vec<Network>, String> {
    let source = Source::File("a definition of the bench".into());
    let mut networks = Vec::with_capacity(count);
    for number in (0..=u16::MAX).take(count) {
        let read = parse(&source, definition(number).as_bytes());
        networks.extend(read.map_err(|error| error.to_string())?);
    }
    Ok(networks)
}

#[cfg(test)]
mod tests {
    use palisade::network::conflicts;

    use super::*;

    #[test]
    fn all_of_them_run_side_by_side() {
        let networks = networks(5_000).unwrap();
        assert_eq!(networks.len(), 5_000);
        assert_eq!(conflicts(&networks), []);
    }

    #[test]
    fn the_last_one_is_one_too() {
        let source = Source::File("last".into());
        let last = parse(&source, definition(u16::MAX).as_bytes()).unwrap();
        let subnets: Vec<String> = last[0].subnets().iter().map(ToString::to_string).collect();
        assert_eq!(subnets, ["10.255.255.0/24"]);
    }
}
