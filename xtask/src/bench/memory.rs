//! `memory`: what networks take of the kernel's memory and of a process's.

use std::collections::HashMap;
use std::process::{Command, ExitCode};
use std::time::Duration;

use palisade::{Firewall, Layout, Options};
use palisade_nft::parts::commit;

use super::amount::Amount;
use super::arguments::Bench;
use super::contestant::{Contestant, Label, What, doing};
use super::namespace::Namespace;
use super::session::Session;
use super::site::Site;

/// So many, that what else goes on in the machine counts little.
const MANY: u16 = 10_000;
/// Tells this program that it is to hold the state in this directory open.
const HOLD: &str = "XTASK_BENCH_HOLD";
/// What the kernel destroys after its deletion is gone by then.
const SETTLE: Duration = Duration::from_millis(250);

pub(super) fn measure(session: &mut Session<'_>) -> Result<(), String> {
    kernel(session)?;
    process(session)
}

fn kernel(session: &mut Session<'_>) -> Result<(), String> {
    session.with_case(MANY, |session, case| {
        let size = case.size();
        let mut all: Vec<Box<dyn Contestant>> = Vec::new();
        for (layout, recording) in case.recordings() {
            for what in [What::Memory, What::MemoryWithoutCounters] {
                let load = |namespace: &Namespace| {
                    let mut socket = namespace.socket()?;
                    let committed = commit(&mut socket, &recording.batch, &mut Vec::new());
                    committed.map_err(|error| error.to_string())
                };
                let run = move || taken(what, load).map(|bytes| Amount(bytes / size as f64));
                all.push(doing(Label::of(layout, what, size), run));
            }
        }
        let mut restore = case.restore("legacy")?;
        let mut legacy = move |namespace: &Namespace| {
            for program in &mut restore {
                namespace.time(program)?;
            }
            Ok(())
        };
        let run = move || taken(What::Memory, &mut legacy).map(|bytes| Amount(bytes / size as f64));
        all.push(doing(Label::other(What::Legacy, size), run));
        session.cell((Bench::Memory, "a network"), 2, &mut all)
    })
}

/// What the kernel takes for what is loaded into a fresh namespace, in bytes.
fn taken(what: What, load: impl FnOnce(&Namespace) -> Result<(), String>) -> Result<f64, String> {
    let namespace = Namespace::new()?;
    std::thread::sleep(SETTLE);
    let before = Used::now()?;
    load(&namespace)?;
    std::thread::sleep(SETTLE);
    let after = Used::now()?;
    namespace.close()?;
    let difference = |of: fn(&Used) -> f64| of(&after) - of(&before);
    let counters = difference(|used| used.for_each_processor);
    Ok(match what {
        What::MemoryWithoutCounters => difference(|used| used.objects),
        _ => difference(|used| used.objects) + counters,
    })
}

/// The kernel's memory that rules can be in, in bytes.
struct Used {
    objects: f64,
    /// Counters are kept once for each processor.
    for_each_processor: f64,
}

impl Used {
    fn now() -> Result<Self, String> {
        let text = std::fs::read_to_string("/proc/meminfo").map_err(|error| error.to_string())?;
        fn line(line: &str) -> Option<(&str, f64)> {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?.parse::<f64>().ok()? * 1024.0))
        }
        let of: HashMap<&str, f64> = text.lines().filter_map(line).collect();
        let amount = |name: &str| of.get(name).copied().unwrap_or(0.0);
        Ok(Self {
            objects: amount("SUnreclaim:") + amount("VmallocUsed:"),
            for_each_processor: amount("Percpu:"),
        })
    }
}

/// A process that has so many networks open, and answered with the list of them.
fn process(session: &mut Session<'_>) -> Result<(), String> {
    session.with_case(MANY, |session, case| {
        let many = Site::new(case, Layout::Mapped)?;
        let one = case.networks.get(..1).unwrap_or_default();
        let one = Site::with(case.ground.scratch, one, Layout::Mapped)?;
        let held = |site, size| {
            let site: &Site = site;
            let run = move || {
                let this = std::env::current_exe().map_err(|error| error.to_string())?;
                let mut command = Command::new(this);
                let output = command.arg("bench").env(HOLD, site.state.path());
                let text = site.namespace.output(output)?;
                let kibibytes = text.trim().parse::<f64>();
                let kibibytes = kibibytes.map_err(|_| format!("no memory is told: {text}"))?;
                Ok(Amount(kibibytes * 1024.0))
            };
            doing(Label::of(Layout::Mapped, What::Process, size), run)
        };
        let mut all = vec![held(&one, 1), held(&many, case.size())];
        session.cell((Bench::Memory, "of a process"), 2, &mut all)
    })
}

/// In a process of its own: holds the state open, changes nothing, and tells the most memory that
/// this took, in KiB.
pub(super) fn held() -> Option<ExitCode> {
    let state = std::env::var_os(HOLD)?;
    let options = Options {
        state_directory: Some(state.into()),
        ..Options::default()
    };
    let open = || {
        let mut firewall = Firewall::open(&options).map_err(|error| error.to_string())?;
        firewall.apply(&[]).map_err(|error| error.to_string())?;
        let status = std::fs::read_to_string("/proc/self/status");
        let status = status.map_err(|error| error.to_string())?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let amount = line.and_then(|line| line.split_whitespace().nth(1));
        Ok::<_, String>(amount.unwrap_or_default().to_owned())
    };
    Some(match open() {
        Ok(amount) => {
            println!("{amount}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    })
}
