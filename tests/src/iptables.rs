//! What `iptables-save` lists, and what of it is ours.

use std::process::Command;

use crate::Namespace;

/// The families of programs of iptables.
pub const PROGRAMS: [&str; 2] = ["legacy", "nft"];

/// The rules and chains of both families of packets, without what counters say: each line behind
/// the program and the table that it belongs to, table by table in the order of their names.
#[track_caller]
pub fn saved(namespace: &Namespace, programs: &str) -> Vec<String> {
    ["iptables", "ip6tables"]
        .iter()
        .flat_map(|word| {
            let program = format!("{word}-{programs}-save");
            let text = namespace.answer(&mut Command::new(&program), "").stdout();
            lines(word, &text)
        })
        .collect()
}

/// What of it speaks of a chain of ours.
#[track_caller]
pub fn ours(namespace: &Namespace, programs: &str) -> Vec<String> {
    let mut lines = saved(namespace, programs);
    lines.retain(|line| line.contains("PALISADE_"));
    lines
}

fn lines(word: &str, text: &str) -> Vec<String> {
    let mut tables: Vec<(&str, Vec<String>)> = Vec::new();
    for line in text.lines() {
        if let Some(table) = line.strip_prefix('*') {
            tables.push((table, Vec::new()));
        } else if let Some((table, lines)) = tables.last_mut()
            && !line.starts_with('#')
            && line != "COMMIT"
        {
            // `:CHAIN POLICY [packets:bytes]`
            let line = line.split(" [").next().unwrap_or(line);
            lines.push(format!("{word} {table} {line}"));
        }
    }
    tables.sort_by_key(|(table, _)| *table);
    tables.into_iter().flat_map(|(_, lines)| lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_know_their_table() {
        let text = "# by hand\n*nat\n:PREROUTING ACCEPT [1:84]\nCOMMIT\n\
                    *filter\n:PALISADE_INP - [0:0]\n-A INPUT -j PALISADE_INP\nCOMMIT\n";
        let expected = [
            "iptables filter :PALISADE_INP -",
            "iptables filter -A INPUT -j PALISADE_INP",
            "iptables nat :PREROUTING ACCEPT",
        ];
        assert_eq!(lines("iptables", text), expected);
    }
}
