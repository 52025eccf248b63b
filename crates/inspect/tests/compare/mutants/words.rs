//! Mutants of a rule of iptables: of one of its words.

use ipnet::IpNet;
use palisade_iptables::text::Words;

use super::Mutant;

pub(super) fn of_words(words: &Words) -> Vec<Mutant<Words>> {
    let words = words.as_slice();
    let mut mutants = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let mut with = |what: &str, others: &[String]| {
            let all = [&words[..place], others, &words[place + 1..]].concat();
            mutants.push(Mutant::new(what, all.into_iter().collect()));
        };
        let one = |word: &str| vec![word.to_owned()];
        let before = place.checked_sub(1).map_or("", |before| &words[before]);
        match (before, word.as_str()) {
            ("-j", target) => {
                let others: &[&str] = match target {
                    "ACCEPT" => &["DROP", "RETURN"],
                    "RETURN" => &["ACCEPT"],
                    "REJECT" | "MASQUERADE" | "SNAT" | "CHECKSUM" => {
                        // Its options go with it.
                        let all = [&words[..place], &one("ACCEPT")].concat();
                        mutants.push(Mutant::new("accept instead", all.into_iter().collect()));
                        continue;
                    }
                    _ => &["ACCEPT"],
                };
                for other in others {
                    with(&format!("{other} instead"), &one(other));
                }
            }
            (_, "!") => with("the contrary", &[]),
            (_, "-s" | "-d" | "-i" | "-o") if before != "!" => {
                with("the contrary", &[one("!"), one(word)].concat());
                let other = match word.as_str() {
                    "-s" => "-d",
                    "-d" => "-s",
                    "-i" => "-o",
                    _ => "-i",
                };
                let is_free = !words.iter().any(|word| word == other);
                // What comes in through nothing, or leaves so, the programs refuse.
                if is_free && matches!(word.as_str(), "-s" | "-d") {
                    with("the other address", &one(other));
                }
            }
            ("-s" | "-d", net) => {
                for (what, net) in nets(net) {
                    with(what, &one(&net));
                }
            }
            ("-i" | "-o", name) => with("another interface", &one(&format!("{name}x"))),
            ("-p", "tcp") if !words.iter().any(|word| word == "-m tcp") => {
                mutants.push(Mutant::new(
                    "another protocol",
                    renamed(words, "tcp", "udp"),
                ));
            }
            ("-p", "udp") => {
                mutants.push(Mutant::new(
                    "another protocol",
                    renamed(words, "udp", "tcp"),
                ));
            }
            ("--dport", port) => with("another port", &one(&format!("{port}1"))),
            ("--to-ports", _) => with("another port", &one("1025-65535")),
            ("--to-source", source) => {
                let (addresses, ports) = source.split_once(':').unwrap_or((source, ""));
                let (first, _) = addresses.split_once('-').unwrap_or((addresses, ""));
                let with_ports = |first: &str| match ports {
                    "" => first.to_owned(),
                    ports => format!("{first}:{ports}"),
                };
                with("another address", &one(&with_ports("192.0.2.1")));
                if !ports.is_empty() {
                    with("no ports", &one(addresses));
                }
                if first != addresses {
                    with("one address", &one(&with_ports(first)));
                }
            }
            ("--ctstate", _) => with("one state", &one("ESTABLISHED")),
            _ => {}
        }
    }
    mutants
}

/// The protocol by its name, and the match that has the same name; not in comments.
fn renamed(words: &[String], from: &str, to: &str) -> Words {
    let rename = |word: &String| {
        if word == from {
            to.to_owned()
        } else {
            word.clone()
        }
    };
    words.iter().map(rename).collect()
}

/// The subnet wider and narrower by a bit, and the one beside it.
fn nets(text: &str) -> Vec<(&'static str, String)> {
    let Ok(net) = text.parse::<IpNet>() else {
        return Vec::new();
    };
    let prefix = net.prefix_len();
    let of = |prefix| IpNet::new(net.addr(), prefix).map(|net| net.trunc().to_string());
    let beside = || {
        let parent = of(prefix - 1).ok()?.parse::<IpNet>().ok()?;
        let mut halves = parent.subnets(prefix).ok()?;
        halves
            .find(|half| *half != net)
            .map(|half| half.to_string())
    };
    let mut nets = Vec::new();
    nets.extend(of(prefix - 1).ok().map(|net| ("widen by a bit", net)));
    nets.extend(of(prefix + 1).ok().map(|net| ("narrow by a bit", net)));
    nets.extend(beside().map(|net| ("the subnet beside", net)));
    nets
}
