//! What is recorded where: counts, so that a backend knows what running networks need of it without
//! looking at each of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::installed::Installed;
use crate::network::Family;

/// How many things are installed in each place of each table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uses(BTreeMap<Family, BTreeMap<String, BTreeMap<String, u64>>>);

impl Uses {
    /// Whether nothing is installed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The places of a table in which something is installed.
    pub fn places(&self, family: Family, table: &str) -> impl Iterator<Item = &str> {
        let places = self.0.get(&family).and_then(|tables| tables.get(table));
        places
            .into_iter()
            .flat_map(BTreeMap::keys)
            .map(String::as_str)
    }

    /// The tables in which something is installed, each once or twice.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.0.values().flat_map(BTreeMap::keys).map(String::as_str)
    }

    /// Something more is installed.
    pub fn add(&mut self, installed: &Installed) {
        let tables = self.0.entry(installed.family).or_default();
        // Most places are known: their names need not be copied.
        if let Some(count) = tables
            .get_mut(&installed.table)
            .and_then(|places| places.get_mut(&installed.place))
        {
            *count += 1;
        } else {
            let places = tables.entry(installed.table.clone()).or_default();
            places.insert(installed.place.clone(), 1);
        }
    }

    /// None of these is installed any more.
    pub fn take_all(&mut self, all: &[Installed]) {
        all.iter().for_each(|installed| self.take(installed));
    }

    /// Something is not installed any more.
    pub fn take(&mut self, installed: &Installed) {
        let Some(tables) = self.0.get_mut(&installed.family) else {
            return;
        };
        let Some(places) = tables.get_mut(&installed.table) else {
            return;
        };
        if let Some(count) = places.get_mut(&installed.place) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                places.remove(&installed.place);
            }
        }
        if places.is_empty() {
            tables.remove(&installed.table);
        }
        if tables.is_empty() {
            self.0.remove(&installed.family);
        }
    }
}

impl<'i> Extend<&'i Installed> for Uses {
    fn extend<T: IntoIterator<Item = &'i Installed>>(&mut self, all: T) {
        for installed in all {
            self.add(installed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Identity, Key};

    #[test]
    fn what_was_added_and_taken_leaves_nothing() {
        let installed = |place: &str| Installed {
            family: Family::Ipv4,
            table: "palisade".to_owned(),
            place: place.to_owned(),
            item: Identity::Element(Key(Vec::new())),
        };
        let mut uses = Uses::default();
        uses.extend(&[installed("cross"), installed("cross"), installed("out_24")]);
        uses.take(&installed("cross"));
        uses.take(&installed("nowhere"));
        let places = |uses: &Uses| {
            uses.places(Family::Ipv4, "palisade")
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(places(&uses), ["cross", "out_24"]);
        uses.take(&installed("cross"));
        assert_eq!(places(&uses), ["out_24"]);
        uses.take(&installed("out_24"));
        assert!(uses.is_empty());
    }
}
