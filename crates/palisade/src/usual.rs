//! The backend that is used where none was chosen: the first one that works on this host.
//!
//! Whether one works is tried out in the kernel, and by the programs; that a program exists says
//! nothing.

use std::path::Path;

use palisade_core::backend::Placement;
use palisade_core::engine::EngineError;
use palisade_core::state::Record;

use crate::backends::{self, BackendKind};
use crate::choice::{BackendChoice, Choice};

/// The order in which backends are tried, fixed when this was built:
/// `PALISADE_BACKEND_PRIORITY=iptables,nftables cargo build`.
const PRIORITY: &str = match option_env!("PALISADE_BACKEND_PRIORITY") {
    Some(priority) => priority,
    None => "nftables,iptables",
};

/// A choice, and why it was made.
pub(crate) struct Usual {
    pub(crate) choice: Choice,
    pub(crate) why: String,
}

/// The first backend that works, in the order of [`PRIORITY`], with the first of its settings that
/// work. `asked` are the other choices: a layout, programs. What worked when a network was started
/// that `runs` need not be tried again: the kernel takes 7 ms for that.
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
    for name in priority() {
        let found = match kind(name) {
            Some(kind) => kind.probe(namespace, asked),
            None => Err(vec![format!("`{name}` is no backend to try")]),
        };
        match found {
            Ok(works) => {
                tried.extend(works.tried);
                let why = match tried.as_slice() {
                    [] => in_words(&works.what),
                    tried => format!("{}: {}", in_words(&works.what), tried.join("; ")),
                };
                log::info!("{why}");
                let choice = works.choice;
                return Ok(Usual { choice, why });
            }
            Err(failed) => tried.extend(failed),
        }
    }
    Err(EngineError::NoBackend { tried })
}

/// The first choice of all, if it was found to work for a network that runs. Records of another
/// boot do not run.
fn proved(runs: &Record, asked: &Choice) -> Option<Usual> {
    let first = kind(priority().next()?)?;
    let works = first.first(asked)?;
    let why = in_words(&works.what);
    let is_proved = runs.placement.backend == first.id() && runs.why == why;
    let choice = works.choice;
    is_proved.then_some(Usual { choice, why })
}

fn priority() -> impl Iterator<Item = &'static str> {
    PRIORITY.split(',').map(str::trim)
}

fn kind(name: &str) -> Option<&'static dyn BackendKind> {
    backends::chosen(name.parse::<BackendChoice>().ok()?)
}

fn in_words(what: &str) -> String {
    format!("{what} works here")
}

/// The same placement, with everything settled that may mean something else later.
pub(crate) fn settled(namespace: Option<&Path>, placement: Placement) -> Placement {
    match backends::of(&placement) {
        Some(kind) => kind.settled(namespace, placement),
        None => placement,
    }
}
