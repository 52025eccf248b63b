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

/// The same with a /64 of IPv6, from which guests leave with the host's address too.
pub(super) fn dual(number: u16) -> String {
    let ipv6 = format!("<ip family='ipv6' address='fd00:0:0:{number:x}::1' prefix='64'/>");
    definition(number)
        .replace(
            "<forward mode='nat'/>",
            "<forward mode='nat'><nat ipv6='yes'/></forward>",
        )
        .replace("</network>", &format!("  {ipv6}\n</network>"))
}

/// The network of this number.
pub(super) fn network(number: u16) -> Result<Network, String> {
    read(&definition(number))
}

/// The first so many networks.
pub(super) fn networks(count: u16) -> Result<Vec<Network>, String> {
    (0..count).map(network).collect()
}

/// The first so many networks with both families.
pub(super) fn dual_networks(count: u16) -> Result<Vec<Network>, String> {
    (0..count).map(|number| read(&dual(number))).collect()
}

fn read(definition: &str) -> Result<Network, String> {
    let source = Source::File("a definition of the bench".into());
    let read = parse(&source, definition.as_bytes()).map_err(|error| error.to_string())?;
    let mut networks = read.into_iter();
    networks.next().ok_or_else(|| "no network".to_owned())
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
        let last = network(u16::MAX).unwrap();
        let subnets: Vec<String> = last.subnets().iter().map(ToString::to_string).collect();
        assert_eq!(subnets, ["10.255.255.0/24"]);
    }

    #[test]
    fn with_both_families_too() {
        let networks = dual_networks(300).unwrap();
        assert_eq!(conflicts(&networks), []);
        let last: Vec<String> = networks[299]
            .subnets()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(last, ["10.1.43.0/24", "fd00:0:0:12b::/64"]);
    }
}
