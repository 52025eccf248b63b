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

/// A set, laid out for looking keys up.
pub(super) struct Index<'a> {
    pub(super) set: &'a FilledSet,
    keys: Keys<'a>,
    catch_all: Option<&'a Element>,
}

enum Keys<'a> {
    /// Single keys.
    Single(HashMap<&'a [u8], &'a Element>),
    /// From a key on, up to the next one: an element, or a gap.
    Intervals(Vec<(&'a [u8], Option<&'a Element>)>),
    /// Elements with an interval for each part of the key; how long the parts are.
    Parts(Vec<usize>, Vec<&'a Element>),
    /// Packets change it.
    Dynamic,
}

/// What a look-up finds.
pub(super) struct Found<'a> {
    /// Whether the key is there.
    pub(super) is_there: Answer,
    /// The element, if it is known which.
    pub(super) element: Option<&'a Element>,
}

impl<'a> Index<'a> {
    pub(super) fn of(set: &'a FilledSet) -> Self {
        let is_catch_all = |element: &&Element| element.flags & CATCH_ALL != 0;
        let elements = || set.elements.iter().filter(|e| !is_catch_all(e));
        let keys = if set.set.flags & DYNAMIC != 0 {
            Keys::Dynamic
        } else if set.set.flags & INTERVAL == 0 {
            Keys::Single(elements().map(|e| (e.key.as_slice(), e)).collect())
        } else if elements().any(|element| !element.key_end.is_empty()) {
            match wire::set::part_sizes(&set.set) {
                Some(sizes) => Keys::Parts(padded(&sizes), elements().collect()),
                // One part, as long as the key.
                None => Keys::Parts(vec![set.set.key_len as usize], elements().collect()),
            }
        } else {
            Keys::Intervals(intervals(elements()))
        };
        Self {
            set,
            keys,
            catch_all: set.elements.iter().find(is_catch_all),
        }
    }

    /// How many bytes of the registers make the key.
    pub(super) fn key_len(&self) -> usize {
        self.set.set.key_len as usize
    }

    /// Looks a key up, of which not every bit may be known.
    pub(super) fn find(&self, key: &[Byte]) -> Found<'a> {
        let found = match &self.keys {
            Keys::Single(elements) => single(elements, key),
            Keys::Intervals(starts) => interval(starts, key),
            Keys::Parts(sizes, elements) => parts(sizes, elements, key),
            Keys::Dynamic => Found::unknown(),
        };
        let found = match (found.is_there, self.catch_all) {
            (Answer::No, Some(element)) => Found::at(element),
            (Answer::Unknown, Some(_)) => Found::unknown(),
            _ => found,
        };
        match found.element {
            // Its own expressions may break the rule off: a limit, a quota.
            Some(element) if !only_counts(element) => Found::unknown(),
            _ => found,
        }
    }
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
    elements: impl Iterator<Item = &'a Element>,
) -> Vec<(&'a [u8], Option<&'a Element>)> {
    let mut starts: Vec<(&[u8], Option<&Element>)> = elements
        .map(|element| {
            let is_end = element.flags & INTERVAL_END != 0;
            (element.key.as_slice(), (!is_end).then_some(element))
        })
        .collect();
    starts.sort_by_key(|(key, element)| (*key, element.is_some()));
    starts.dedup_by(|later, earlier| {
        let is_same = later.0 == earlier.0;
        if is_same {
            earlier.1 = later.1.or(earlier.1);
        }
        is_same
    });
    starts
}

fn single<'a>(elements: &HashMap<&'a [u8], &'a Element>, key: &[Byte]) -> Found<'a> {
    match bits::certain(key) {
        Some(key) => match elements.get(key.as_slice()) {
            Some(element) => Found::at(element),
            None => Found::nothing(),
        },
        None => {
            let may = |element: &&&Element| bits::equal(key, &element.key) != Answer::No;
            match elements.values().find(may) {
                Some(_) => Found::unknown(),
                None => Found::nothing(),
            }
        }
    }
}

/// The interval that holds the least and the most that the key can be.
fn interval<'a>(starts: &[(&'a [u8], Option<&'a Element>)], key: &[Byte]) -> Found<'a> {
    let behind = |value: &[u8]| starts.partition_point(|(start, _)| *start <= value);
    let (first, last) = (behind(&bits::least(key)), behind(&bits::most(key)));
    let of = |place: usize| place.checked_sub(1).and_then(|place| starts[place].1);
    if first == last {
        return of(first).map_or_else(Found::nothing, Found::at);
    }
    if (first..=last).all(|place| of(place).is_none()) {
        Found::nothing()
    } else {
        Found::unknown()
    }
}

fn parts<'a>(sizes: &[usize], elements: &[&'a Element], key: &[Byte]) -> Found<'a> {
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
    for &element in elements {
        match holds(element) {
            Answer::Yes if !may => return Found::at(element),
            Answer::No => {}
            Answer::Yes | Answer::Unknown => may = true,
        }
    }
    if may {
        Found::unknown()
    } else {
        Found::nothing()
    }
}
