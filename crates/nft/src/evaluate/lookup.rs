//! Keys in sets and maps, as the kernel finds them.

use std::collections::HashMap;

use palisade_core::evaluate::Answer;
use palisade_core::evaluate::bits::{self, Byte};

use crate::object::{Element, Expression};
use crate::program::FilledSet;
use crate::wire;

/// `NFT_SET_INTERVAL`.
const INTERVAL: u32 = 0x4;
/// `NFT_SET_EVAL`: packets add elements.
const DYNAMIC: u32 = 0x20;
/// `NFT_SET_ELEM_INTERVAL_END`.
const INTERVAL_END: u32 = 1;
/// `NFT_SET_ELEM_CATCHALL`.
const CATCH_ALL: u32 = 2;

/// A set, laid out for looking keys up. Elements are known by their places in it.
pub(super) struct Index {
    keys: Keys,
    catch_all: Option<usize>,
}

enum Keys {
    /// Single keys.
    Single(HashMap<Vec<u8>, usize>),
    /// From a key on, up to the next one: an element, or a gap.
    Intervals(Vec<(Vec<u8>, Option<usize>)>),
    /// Elements with an interval for each part of the key; how long the parts are.
    Parts(Vec<usize>),
    /// Packets change it.
    Dynamic,
}

/// What a look-up finds.
pub(super) struct Found<'a> {
    /// Whether the key is there.
    pub(super) is_there: Answer,
    /// The element, if it is known which, and whether or not it lets the packet go on.
    pub(super) element: Option<&'a Element>,
}

impl Index {
    pub(super) fn of(set: &FilledSet) -> Self {
        let keys = if set.set.flags & DYNAMIC != 0 {
            Keys::Dynamic
        } else if set.set.flags & INTERVAL == 0 {
            Keys::Single(elements(set).map(|(n, e)| (e.key.clone(), n)).collect())
        } else if elements(set).any(|(_, element)| !element.key_end.is_empty()) {
            match wire::set::part_sizes(&set.set) {
                Some(sizes) => Keys::Parts(padded(&sizes)),
                // One part, as long as the key.
                None => Keys::Parts(vec![set.set.key_len as usize]),
            }
        } else {
            Keys::Intervals(intervals(elements(set)))
        };
        Self {
            keys,
            catch_all: set.elements.iter().position(is_catch_all),
        }
    }

    /// Looks a key up in the set, of which not every bit may be known.
    pub(super) fn find<'a>(&self, set: &'a FilledSet, key: &[Byte]) -> Found<'a> {
        let at = |place: usize| Found::at(&set.elements[place]);
        let found = match &self.keys {
            Keys::Single(places) => single(places, key),
            Keys::Intervals(starts) => interval(starts, key),
            Keys::Parts(sizes) => parts(sizes, elements(set), key),
            Keys::Dynamic => Place::Unknown,
        };
        let found = match (found, self.catch_all) {
            (Place::Nowhere, None) => Found::nothing(),
            (Place::Nowhere, Some(place)) | (Place::At(place), _) => at(place),
            (Place::Unknown, _) => Found::unknown(),
        };
        match found.element {
            // Its own expressions may break the rule off: a limit, a quota.
            Some(element) if !only_counts(element) => Found {
                is_there: Answer::Unknown,
                element: Some(element),
            },
            _ => found,
        }
    }
}

/// Where a key is among the elements of a set.
enum Place {
    At(usize),
    Nowhere,
    Unknown,
}

/// The elements with keys, and their places.
fn elements(set: &FilledSet) -> impl Iterator<Item = (usize, &Element)> {
    let all = set.elements.iter().enumerate();
    all.filter(|(_, element)| !is_catch_all(element))
}

fn is_catch_all(element: &Element) -> bool {
    element.flags & CATCH_ALL != 0
}

impl<'a> Found<'a> {
    fn at(element: &'a Element) -> Self {
        Self {
            is_there: Answer::Yes,
            element: Some(element),
        }
    }

    fn nothing() -> Self {
        Self {
            is_there: Answer::No,
            element: None,
        }
    }

    fn unknown() -> Self {
        Self {
            is_there: Answer::Unknown,
            element: None,
        }
    }
}

fn only_counts(element: &Element) -> bool {
    let counts = |expression: &Expression| matches!(expression, Expression::Counter(_));
    element.expressions.iter().all(counts)
}

/// Each part begins in a register of its own.
fn padded(sizes: &[u32]) -> Vec<usize> {
    let padded = |&size: &u32| size.next_multiple_of(4) as usize;
    sizes.iter().map(padded).collect()
}

/// The starts and ends of intervals in their order. Where one ends and another begins, there is no
/// gap.
fn intervals<'a>(
    elements: impl Iterator<Item = (usize, &'a Element)>,
) -> Vec<(Vec<u8>, Option<usize>)> {
    let mut starts: Vec<(Vec<u8>, Option<usize>)> = elements
        .map(|(place, element)| {
            let is_end = element.flags & INTERVAL_END != 0;
            (element.key.clone(), (!is_end).then_some(place))
        })
        .collect();
    starts.sort_by(|one, other| (&one.0, one.1.is_some()).cmp(&(&other.0, other.1.is_some())));
    starts.dedup_by(|later, earlier| {
        let is_same = later.0 == earlier.0;
        if is_same {
            earlier.1 = later.1.or(earlier.1);
        }
        is_same
    });
    starts
}

fn single(places: &HashMap<Vec<u8>, usize>, key: &[Byte]) -> Place {
    match bits::certain(key) {
        Some(key) => places.get(&key).map_or(Place::Nowhere, |&at| Place::At(at)),
        None => {
            let may = |other: &Vec<u8>| bits::equal(key, other) != Answer::No;
            if places.keys().any(may) {
                Place::Unknown
            } else {
                Place::Nowhere
            }
        }
    }
}

/// The interval that holds the least and the most that the key can be.
fn interval(starts: &[(Vec<u8>, Option<usize>)], key: &[Byte]) -> Place {
    let behind = |value: &[u8]| starts.partition_point(|(start, _)| start.as_slice() <= value);
    let (first, last) = (behind(&bits::least(key)), behind(&bits::most(key)));
    let of = |place: usize| place.checked_sub(1).and_then(|place| starts[place].1);
    if first == last {
        return of(first).map_or(Place::Nowhere, Place::At);
    }
    if (first..=last).all(|place| of(place).is_none()) {
        Place::Nowhere
    } else {
        Place::Unknown
    }
}

fn parts<'a>(
    sizes: &[usize],
    elements: impl Iterator<Item = (usize, &'a Element)>,
    key: &[Byte],
) -> Place {
    let holds = |element: &Element| {
        let mut start = 0;
        let mut answer = Answer::Yes;
        for size in sizes {
            let end = start + size;
            let last = if element.key_end.is_empty() {
                &element.key
            } else {
                &element.key_end
            };
            let (Some(part), Some(first), Some(last)) = (
                key.get(start..end),
                element.key.get(start..end),
                last.get(start..end),
            ) else {
                return Answer::Unknown;
            };
            answer = answer.and(bits::within(part, first, last));
            start = end;
        }
        answer
    };
    let mut may = false;
    for (place, element) in elements {
        match holds(element) {
            Answer::Yes if !may => return Place::At(place),
            Answer::No => {}
            Answer::Yes | Answer::Unknown => may = true,
        }
    }
    if may { Place::Unknown } else { Place::Nowhere }
}
