//! The processes that changed the ruleset for us and left no mark of the transaction: whoever
//! watches knows their changes for ours by this.

use super::files::PROCESSES;
use super::folder::State;

/// So many are remembered at least; the oldest are forgotten when there are twice as many.
const REMEMBERED: usize = 64;

impl State {
    /// Remembers a process. If that fails, its change is taken for somebody else's, which does no
    /// harm.
    pub(crate) fn note_process(&self, process: u32) {
        let storage = self.storage.as_ref();
        let mut known = self.processes();
        let noted = if known.len() < 2 * REMEMBERED {
            storage
                .add(PROCESSES, format!("{process}\n").as_bytes())
                .map(drop)
        } else {
            known.drain(..known.len() - REMEMBERED);
            known.push(process);
            let text: String = known.iter().map(|known| format!("{known}\n")).collect();
            storage.replace(PROCESSES, text.as_bytes())
        };
        if let Err(error) = noted {
            log::debug!("{}/{PROCESSES}: {error}", self.place());
        }
    }

    /// The processes that are remembered, the last one last.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let read = self
            .storage
            .read(PROCESSES)
            .ok()
            .flatten()
            .unwrap_or_default();
        let text = String::from_utf8_lossy(&read);
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// Those of another boot say nothing.
    pub(super) fn forget_processes(&self) {
        if let Err(error) = self.storage.remove(PROCESSES) {
            log::debug!("{}/{PROCESSES}: {error}", self.place());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::state::State;
    use crate::storage::memory::Memory;

    #[test]
    fn the_last_ones_are_remembered() {
        let state = State::in_storage(Box::new(Memory::default()), 1);
        (1..=1000).for_each(|process| state.note_process(process));
        let known = state.processes();
        assert!((64..=128).contains(&known.len()), "{}", known.len());
        assert_eq!(known.last(), Some(&1000));
        assert!(known.is_sorted());
    }
}
