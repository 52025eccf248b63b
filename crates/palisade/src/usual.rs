//! Who installs rules where nobody chose: the first backend that works on this host.
//!
//! What works is tried out in the kernel, and by the programs; that a program exists says nothing.

use std::path::{Path, PathBuf};

use palisade_core::backend::Placement;
use palisade_core::engine::EngineError;
use palisade_core::state::Record;
use palisade_iptables::run::Programs;
use palisade_nft::backend::{Nftables, Settings};
use palisade_nft::layout::Layout;
use palisade_nft::socket::Socket;

use crate::backends;
use crate::options::{BackendChoice, Choice};

/// The order in which backends are tried, fixed when this was built:
/// `PALISADE_BACKEND_PRIORITY=iptables,nftables cargo build`.
pub const PRIORITY: &str = match option_env!("PALISADE_BACKEND_PRIORITY") {
    Some(priority) => priority,
    None => "nftables,iptables",
};

/// A choice, and why it was made.
pub(crate) struct Usual {
    pub(crate) choice: Choice,
    pub(crate) why: String,
}

/// The first backend that works, in the order of [`PRIORITY`]; of the nftables backend, the first
/// layout that works. `asked` says what else was chosen: a layout, programs. What worked when a
/// network was started that `runs` need not be tried again: the kernel takes 7 ms for that.
pub(crate) fn usual(
    namespace: Option<&Path>,
    asked: &Choice,
    runs: Option<&Record>,
) -> Result<Usual, EngineError> {
    if let Some(runs) = runs
        && let Some(usual) = proved(runs, asked)
    {
        let name = runs.network.name();
        log::info!("what worked for network `{name}`, which runs, is not tried again");
        return Ok(usual);
    }
    let mut tried = Vec::new();
    for name in PRIORITY.split(',').map(str::trim) {
        let found = match name.parse() {
            Ok(BackendChoice::Nftables) => nftables(namespace, asked, &mut tried),
            Ok(BackendChoice::Iptables) => iptables(namespace, asked, &mut tried),
            _ => {
                tried.push(format!("`{name}` is no backend to try"));
                None
            }
        };
        if let Some((choice, what)) = found {
            let why = match tried.as_slice() {
                [] => works(&what),
                tried => format!("{}: {}", works(&what), tried.join("; ")),
            };
            log::info!("{why}");
            return Ok(Usual { choice, why });
        }
    }
    Err(EngineError::NoBackend { tried })
}

/// What stands first and was found to work for a network that runs. Records of another boot do not
/// run.
fn proved(runs: &Record, asked: &Choice) -> Option<Usual> {
    let is_first = PRIORITY.split(',').next()?.trim() == BackendChoice::Nftables.name();
    let layout = asked.layout.unwrap_or_default();
    let settings = Settings::try_from(&runs.placement).ok()?;
    let usual = Usual {
        choice: of_nftables(layout),
        why: works(&nftables_with(layout)),
    };
    let is_proved = settings.layout == layout && runs.why == usual.why;
    (is_first && is_proved).then_some(usual)
}

fn works(what: &str) -> String {
    format!("{what} works here")
}

fn nftables_with(layout: Layout) -> String {
    format!("nftables with layout {layout}")
}

fn of_nftables(layout: Layout) -> Choice {
    Choice {
        backend: Some(BackendChoice::Nftables),
        layout: Some(layout),
        ..Choice::default()
    }
}

fn nftables(
    namespace: Option<&Path>,
    asked: &Choice,
    tried: &mut Vec<String>,
) -> Option<(Choice, String)> {
    let socket = match namespace {
        Some(path) => Socket::open_in(path.to_owned()),
        None => Socket::open(),
    };
    let mut nftables = match socket {
        Ok(socket) => Nftables::new(Box::new(socket)),
        Err(error) => {
            tried.push(error.to_string());
            return None;
        }
    };
    let layouts = match asked.layout {
        Some(layout) => vec![layout],
        None => vec![Layout::Mapped, Layout::Flat],
    };
    for layout in layouts {
        match nftables.probe(layout) {
            Ok(()) => return Some((of_nftables(layout), nftables_with(layout))),
            Err(error) => tried.push(error.to_string()),
        }
    }
    None
}

fn iptables(
    namespace: Option<&Path>,
    asked: &Choice,
    tried: &mut Vec<String>,
) -> Option<(Choice, String)> {
    match backends::iptables(namespace).probe(asked.iptables.unwrap_or_default()) {
        Ok(without) => {
            without.iter().for_each(|told| log::info!("{told}"));
            let choice = Choice {
                backend: Some(BackendChoice::Iptables),
                ..Choice::default()
            };
            Some((choice, "iptables".to_owned()))
        }
        Err(error) => {
            tried.push(error.to_string());
            None
        }
    }
}

/// The same placement, with the programs named that `auto` means now: later it may mean others.
pub(crate) fn settled(namespace: Option<&PathBuf>, placement: Placement) -> Placement {
    let is_open = palisade_iptables::backend::Settings::try_from(&placement)
        .is_ok_and(|settings| settings.programs == Programs::Auto);
    if !is_open {
        return placement;
    }
    match backends::iptables(namespace.map(PathBuf::as_path)).settle(&placement) {
        Ok(settled) => settled,
        Err(error) => {
            // Whoever plans with it says so too.
            log::debug!("{error}");
            placement
        }
    }
}
