//! How long two encoders take for the same rules: libvirt's rules of many networks, as far as
//! rustables can express them. `cargo xtask bench encode` asks, a word a line: `ours` or `theirs`,
//! and reads nanoseconds.

use std::error::Error;
use std::io::{Write, stdin, stdout};
use std::time::{Duration, Instant};

use palisade_core::network::{Description, Family, Forward, Nat, Network};
use palisade_nft::layout::{Layout, TableName};
use palisade_nft::object::Rule;
use palisade_nft::parts::{At, Batch};
use palisade_nft::program::Program;
use palisade_second_opinion as opinion;
use rustables::MsgType;

fn main() -> Result<(), Box<dyn Error>> {
    let count: u16 = std::env::args().nth(1).unwrap_or_default().parse()?;
    let networks: Vec<Network> = (0..count).map(network).collect::<Result<_, _>>()?;
    let placed: Vec<(Layout, &Network)> = networks.iter().map(|n| (Layout::Flat, n)).collect();
    let program = Program::of(&TableName::default(), Family::Ipv4, &placed).ok_or("no networks")?;
    let (ours, theirs) = expressible(&program).ok_or("rustables knows no table of ours")?;
    for word in stdin().lines() {
        let took = match word?.as_str() {
            "ours" => time_ours(&ours),
            "theirs" => time_theirs(&theirs),
            word => return Err(format!("`{word}` is neither `ours` nor `theirs`").into()),
        };
        writeln!(stdout(), "{}", took.as_nanos())?;
        stdout().flush()?;
    }
    Ok(())
}

fn network(number: u16) -> Result<Network, Box<dyn Error>> {
    let [high, low] = number.to_be_bytes();
    Ok(Network::new(Description {
        subnets: vec![format!("10.{high}.{low}.0/24").parse()?],
        dhcp: true,
        ..Description::new(
            format!("net{number:05}").parse()?,
            Some(format!("virbr{number}").parse()?),
            Forward::Nat(Nat::default()),
        )
    })?)
}

/// The rules that both can say.
fn expressible(program: &Program) -> Option<(Vec<Rule>, Vec<rustables::Rule>)> {
    let table = opinion::table(&program.table)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for filled in &program.chains {
        let chain = opinion::chain(&table, &filled.chain)?;
        for rule in &filled.rules {
            if let Some(said) = opinion::rule(&chain, rule) {
                ours.push(rule.clone());
                theirs.push(said);
            }
        }
    }
    Some((ours, theirs))
}

fn time_ours(rules: &[Rule]) -> Duration {
    let start = Instant::now();
    let mut batch = Batch::new(None);
    for rule in rules {
        batch.add_rule(rule, At::End);
    }
    let bytes = std::hint::black_box(batch.finish());
    let took = start.elapsed();
    drop(bytes);
    took
}

fn time_theirs(rules: &[rustables::Rule]) -> Duration {
    let start = Instant::now();
    let mut batch = rustables::Batch::new();
    for rule in rules {
        batch.add(rule, MsgType::Add);
    }
    let bytes = std::hint::black_box(batch.finalize());
    let took = start.elapsed();
    drop(bytes);
    took
}
