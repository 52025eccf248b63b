//! `counters`: what networks counted, once or live.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use palisade::network::{Family, Name};
use palisade::{Counted, Counters, Firewall, Traffic, prometheus};
use serde_json::{Value, json};

use super::open::names;
use super::signals::{Asked, Signals};
use crate::arguments;
use crate::arguments::OutputFormat;
use crate::failure::Failure;
use crate::output::{self, Outcome, Reader, table};

pub(super) fn counters(
    firewall: &mut Firewall,
    asked: &arguments::Counters,
    format: OutputFormat,
) -> Result<Outcome, Failure> {
    let names = names(&asked.named.names)?;
    match asked.watch {
        Some(seconds) => watch(firewall, &names, Duration::from_secs(seconds), format),
        None => Ok(once(&firewall.counters(&names)?, format)),
    }
}

fn once(counters: &[Counters], format: OutputFormat) -> Outcome {
    let text = match format {
        OutputFormat::Prometheus => prometheus(counters),
        _ => text(counters, None),
    };
    Outcome::new(text, &json(counters))
}

/// Until a signal ends it, or the reader is gone. A terminal is written anew each time; in JSON, each look is a line.
fn watch(
    firewall: &mut Firewall,
    names: &[Name],
    pause: Duration,
    format: OutputFormat,
) -> Result<Outcome, Failure> {
    let signals = Signals::new()?;
    let clears = format == OutputFormat::Text && io::stdout().is_terminal();
    let mut before: Option<(Instant, Vec<Counters>)> = None;
    loop {
        let (now, counters) = (Instant::now(), firewall.counters(names)?);
        let rates = before.as_ref().map(|(then, counters)| Since {
            seconds: now.duration_since(*then).as_secs_f64(),
            counters,
        });
        let mut shown = text(&counters, rates.as_ref());
        shown.insert_str(0, if clears { "\x1b[H\x1b[2J" } else { "" });
        shown.push_str(if clears { "" } else { "\n" });
        let mut line = json(&counters);
        for (line, counters) in line.iter_mut().zip(&counters) {
            line["rates"] = rates
                .as_ref()
                .map_or(Value::Null, |since| since.json(counters));
        }
        if output::show(&Outcome::new(shown, &line), format) == Reader::Gone {
            return Ok(Outcome::default());
        }
        before = Some((now, counters));
        while let Some(rest) = pause.checked_sub(now.elapsed()) {
            match signals.wait(rest) {
                Asked::Nothing => {}
                Asked::Again => break,
                Asked::End(outcome) => return Ok(outcome),
            }
        }
    }
}

/// What had been counted some time ago.
struct Since<'a> {
    seconds: f64,
    counters: &'a [Counters],
}

impl Since<'_> {
    /// Packets and bytes a second; none if there was nothing to compare with, or the counters began
    /// anew.
    fn rates(&self, now: &Counters, traffic: Traffic) -> Option<(f64, f64)> {
        let is_same = |then: &&Counters| (&then.network, then.family) == (&now.network, now.family);
        let then = self.counters.iter().find(is_same)?.traffic.get(&traffic)?;
        let now = now.traffic.get(&traffic)?;
        let rate = |now: u64, then: u64| Some(now.checked_sub(then)? as f64 / self.seconds);
        Some((
            rate(now.packets, then.packets)?,
            rate(now.bytes, then.bytes)?,
        ))
    }

    fn json(&self, now: &Counters) -> Value {
        let rates = now.traffic.keys().filter_map(|&traffic| {
            let (packets, bytes) = self.rates(now, traffic)?;
            let rates = json!({ "packets_per_second": packets, "bytes_per_second": bytes });
            Some((traffic.to_string(), rates))
        });
        Value::Object(rates.collect())
    }
}

/// One line for each network and family; a dash where nothing counts.
fn text(all: &[Counters], since: Option<&Since<'_>>) -> String {
    if all.is_empty() {
        return "nothing counts: no network with counters is running\n".to_owned();
    }
    let sums = Traffic::ALL.map(|traffic| traffic.to_string().replace('_', " ").to_uppercase());
    let mut head = vec!["NETWORK", "FAMILY"];
    head.extend(sums.iter().map(String::as_str));
    head.push("NAT CONNECTIONS");
    let rows = all.iter().map(|counters| {
        let mut row = vec![counters.network.to_string(), family(counters.family)];
        row.extend(Traffic::ALL.map(|traffic| {
            let Some(counted) = counters.traffic.get(&traffic) else {
                return "-".to_owned();
            };
            let rates = since.and_then(|since| since.rates(counters, traffic));
            match rates {
                None => packets_and_bytes(*counted),
                Some((packets, bytes)) => format!(
                    "{}, {} packets/s, {}/s",
                    packets_and_bytes(*counted),
                    packets.round(),
                    bytes_in_words(bytes.round() as u64)
                ),
            }
        }));
        let connections = counters.nat_connections;
        row.push(connections.map_or("-".to_owned(), |count| count.to_string()));
        row
    });
    let mut text = table(&head, rows);
    let forwards: Vec<Vec<String>> = all.iter().flat_map(forward_rows).collect();
    if !forwards.is_empty() {
        let head = ["NETWORK", "FORWARD", "CONNECTIONS", "TO THE GUEST"];
        text.push('\n');
        text.push_str(&table(&head, forwards));
    }
    text
}

/// One line for each forward.
fn forward_rows(counters: &Counters) -> impl Iterator<Item = Vec<String>> {
    counters.forwards.iter().map(|counted| {
        vec![
            counters.network.to_string(),
            counted.forward.to_string(),
            counted.connections.to_string(),
            packets_and_bytes(counted.traffic),
        ]
    })
}

fn family(family: Family) -> String {
    family.to_string()
}

/// `12 packets, 3.4 KiB`.
pub(super) fn packets_and_bytes(counted: Counted) -> String {
    let Counted { packets, bytes } = counted;
    format!("{packets} packets, {}", bytes_in_words(bytes))
}

fn bytes_in_words(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut units = units.into_iter();
    let mut unit = units.next().unwrap_or_default();
    for larger in units {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, larger);
    }
    format!("{value:.1} {unit}")
}

pub(super) fn json(all: &[Counters]) -> Vec<Value> {
    let one = |counters: &Counters| {
        let traffic = counters.traffic.iter().map(|(traffic, counted)| {
            json!({
                "purpose": traffic,
                "packets": counted.packets,
                "bytes": counted.bytes,
            })
        });
        json!({
            "network": counters.network,
            "family": counters.family,
            "counters": traffic.collect::<Vec<_>>(),
            "nat_connections": counters.nat_connections,
            "forwards": counters.forwards,
        })
    };
    all.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_as_people_read_them() {
        for (bytes, words) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_572_864, "1.5 MiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes_in_words(bytes), words);
        }
    }
}
