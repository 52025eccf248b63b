//! Rules as others' programs read them.

use palisade::network::{Family, Network};
use palisade::{BackendChoice, Choice, Layout, render};

/// The tables of these networks, as `nft -f` reads them. Libvirt's rules have no comments, and
/// `nft` shall not be measured with ours.
pub(super) fn nft(networks: &[Network], layout: Layout) -> Result<String, String> {
    let choice = choice(BackendChoice::Nftables, layout);
    let text = render(networks, &choice, None).map_err(|error| error.to_string())?;
    Ok(match layout {
        Layout::Flat => without_comments(&text),
        Layout::Mapped => text,
    })
}

/// A command of `nft` for each of libvirt's IPv4 rules of a network, into chains that are there.
pub(super) fn inserts(network: &Network) -> Result<Vec<String>, String> {
    let text = nft(std::slice::from_ref(network), Layout::Flat)?;
    let mut inserts = Vec::new();
    let (mut table, mut chain) = ("", "");
    for line in text.lines().map(str::trim) {
        match line.split_once(' ') {
            Some(("table", rest)) => table = rest.trim_end_matches(" {"),
            Some(("chain", rest)) => chain = rest.trim_end_matches(" {"),
            Some(_) if line.starts_with("type ") || line.contains("jump ") => {}
            Some(_) if line.contains(" counter ") && table.starts_with("ip ") => {
                inserts.push(format!("insert rule {table} {chain} {line}"));
            }
            _ => {}
        }
    }
    // The last in the chain is the first that libvirt inserts.
    inserts.reverse();
    Ok(inserts)
}

/// The tables of these networks in both families, as `iptables-restore` reads them.
pub(super) fn iptables(networks: &[Network]) -> Result<[String; 2], String> {
    let choice = choice(BackendChoice::Iptables, Layout::Flat);
    let of = |family| {
        let text = render(networks, &choice, Some(family)).map_err(|error| error.to_string())?;
        Ok::<_, String>(without_iptables_comments(&text))
    };
    Ok([of(Family::Ipv4)?, of(Family::Ipv6)?])
}

/// The rules of one network, into chains that are there.
pub(super) fn iptables_of_one(network: &Network) -> Result<[String; 2], String> {
    let texts = iptables(std::slice::from_ref(network))?;
    Ok(texts.map(|text| {
        let is_new = |line: &&str| {
            let is_jump = line.contains(" -j PALISADE_");
            !line.starts_with("-N ") && !line.starts_with(':') && !is_jump
        };
        let lines: Vec<&str> = text.lines().filter(is_new).collect();
        lines.join("\n") + "\n"
    }))
}

fn choice(backend: BackendChoice, layout: Layout) -> Choice {
    Choice {
        backend: Some(backend),
        layout: Some(layout),
        ..Choice::default()
    }
}

fn without_comments(text: &str) -> String {
    let mut without = String::with_capacity(text.len());
    for line in text.lines() {
        let rule = match line.split_once("comment \"") {
            Some((rule, _)) => rule.trim_end(),
            None => line,
        };
        without.push_str(rule);
        without.push('\n');
    }
    without
}

fn without_iptables_comments(text: &str) -> String {
    let mut without = String::with_capacity(text.len());
    for line in text.lines() {
        match line.split_once(" -m comment --comment \"") {
            Some((before, rest)) => {
                let after = rest.split_once('"').map_or("", |(_, after)| after);
                without.push_str(before);
                without.push_str(after);
            }
            None => without.push_str(line),
        }
        without.push('\n');
    }
    without
}

#[cfg(test)]
mod tests {
    use super::super::networks::networks;
    use super::*;

    #[test]
    fn nft_reads_rules_without_comments() {
        let text = "table ip palisade {\n\tcomment \"made by palisade\"\n\tchain guest_input {\n\
                    \t\toifname \"virbr0\" counter reject comment \"default: refuse in\"\n\t}\n}\n";
        let expected = "table ip palisade {\n\n\tchain guest_input {\n\
                        \t\toifname \"virbr0\" counter reject\n\t}\n}\n";
        assert_eq!(without_comments(text), expected);
    }

    #[test]
    fn no_rule_is_lost_with_its_comment() {
        let choice = choice(BackendChoice::Nftables, Layout::Flat);
        let text = render(&networks(3).unwrap(), &choice, None).unwrap();
        let without = without_comments(&text);
        assert!(!without.contains("comment"));
        for word in ["masquerade", "reject", "accept", "return", "jump"] {
            assert_eq!(
                without.matches(word).count(),
                text.lines().filter(|line| line.contains(word)).count(),
                "{word}"
            );
        }
        let text = render(
            &networks(3).unwrap(),
            &self::choice(BackendChoice::Iptables, Layout::Flat),
            Some(Family::Ipv4),
        );
        let [without, _] = iptables(&networks(3).unwrap()).unwrap();
        assert!(!without.contains("comment"));
        assert_eq!(without.lines().count(), text.unwrap().lines().count());
        for line in without.lines().filter(|line| line.starts_with("-I PAL")) {
            assert!(line.contains(" -j "), "{line}");
        }
    }

    #[test]
    fn one_network_is_some_rules() {
        let one = networks(1).unwrap().remove(0);
        let inserts = inserts(&one).unwrap();
        assert_eq!(inserts.len(), 11, "{inserts:#?}");
        let of_chain = |chain| inserts.iter().filter(|i| i.contains(chain)).count();
        assert_eq!(of_chain("insert rule ip palisade guest_nat ip saddr"), 3);
        let [ipv4, ipv6] = iptables_of_one(&one).unwrap();
        // Libvirt's: four of DHCP, four of DNS, three in general, two of NAT networks, five of NAT,
        // and the checksums of DHCP. And the one by which networks know it that keep their sources.
        assert_eq!(ipv4.matches("\n-I PALISADE_").count(), 20, "{ipv4}");
        assert_eq!(ipv6.matches("\n-I PALISADE_").count(), 0, "{ipv6}");
        assert!(!ipv4.contains("-N "));
    }
}
