//! Where something stands in a text: in bytes while it is read, in lines for people.

use std::ops::Range;

use palisade_core::words::character;
use unicode_width::UnicodeWidthStr;

use super::fault::Fault;

/// A stretch of a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Where `part`, a slice of `text`, stands in it.
    pub(super) fn of(part: &str, text: &str) -> Self {
        let start = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
        Self::new(start, start + part.len())
    }

    /// The same, counted from a text that begins `base` bytes earlier.
    pub(super) fn moved(self, base: usize) -> Self {
        Self::new(self.start + base, self.end + base)
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }
}

/// A value, and the stretch that says it.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

impl<T> At<T> {
    pub(super) fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Problem(pub(super) Box<At<Fault>>);

/// A fault that gets its place.
pub(super) trait Placed: Into<Fault> {
    fn at(self, span: Span) -> Problem {
        Problem(Box::new(At::new(self.into(), span)))
    }
}

impl<F: Into<Fault>> Placed for F {}

/// The text without the byte order mark that some editors put before it.
pub(super) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// How many characters of the line are shown before the fault.
const BEFORE: usize = 50;
/// How many characters of the line are shown in all.
const SHOWN: usize = 100;

/// A place as people count it, and what stands there.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// From 1.
    pub(crate) line: usize,
    /// In characters, from 1.
    pub(crate) column: usize,
    /// The line, or what is near the fault if it is long, and the carets below; none where the
    /// line is blank.
    pub(super) excerpt: Option<[String; 2]>,
}

impl Place {
    pub(crate) fn new(bytes: &[u8], span: Span) -> Self {
        let start = span.start.min(bytes.len());
        let (before, after) = bytes.split_at(start);
        let line_start = before
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(0, |i| i + 1);
        let line_end = after
            .iter()
            .position(|&b| b == b'\n')
            .unwrap_or(after.len());
        // What stands before the first byte that is no character is text.
        let head = String::from_utf8_lossy(&before[line_start..]);
        let rest = &after[..line_end];
        let fault_len = span.end.saturating_sub(start).min(rest.len());
        Self {
            line: before.iter().filter(|&&b| b == b'\n').count() + 1,
            column: head.chars().count() + 1,
            excerpt: excerpt(&head, &rest[..fault_len], &rest[fault_len..]),
        }
    }
}

fn excerpt(before: &str, fault: &[u8], after: &[u8]) -> Option<[String; 2]> {
    let cut = before.chars().count().saturating_sub(BEFORE);
    let mut head = before.chars().skip(cut).collect::<String>();
    let mut room = SHOWN - head.chars().count();
    head = head.chars().map(character).collect();
    if cut == 0 {
        head = head.trim_start().to_owned();
    } else {
        head.insert_str(0, "... ");
    }
    let fault = shown_part(fault, &mut room);
    let mut tail = shown_part(after, &mut room);
    if room == 0 {
        tail.push_str(" ...");
    }
    let line = format!("{head}{fault}{tail}");
    let carets = format!(
        "{}{}",
        " ".repeat(head.width()),
        "^".repeat(fault.width().max(1))
    );
    let line = line.trim_end();
    (!line.is_empty()).then(|| [line.to_owned(), carets])
}

/// The beginning of a part of a line as it is shown, bytes that are no character included, for as
/// long as there is room.
fn shown_part(part: &[u8], room: &mut usize) -> String {
    let mut shown = String::new();
    for chunk in part.utf8_chunks() {
        for c in chunk.valid().chars().filter(|&c| c != '\r').take(*room) {
            shown.push_str(&character(c));
            *room -= 1;
        }
        for byte in chunk.invalid().iter().take(*room) {
            shown.push_str(&format!("\\x{byte:02x}"));
            *room -= 1;
        }
        if *room == 0 {
            break;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, part: &str) -> (usize, usize, String) {
        let start = text.find(part).unwrap();
        let place = Place::new(text.as_bytes(), Span::new(start, start + part.len()));
        let excerpt = place.excerpt.unwrap_or_default();
        (place.line, place.column, excerpt.join("\n"))
    }

    #[test]
    fn columns_are_characters_and_carets_stand_below() {
        let text = "first\r\n\t<größe name='ß' mode='x'/>\r\nlast";
        assert_eq!(
            place(text, "x'"),
            (
                2,
                24,
                "<größe name='ß' mode='x'/>\n                      ^^".to_owned()
            )
        );
        assert_eq!(place(text, "last").0, 3);
        assert_eq!(place("名前 = 1", "1").2, "名前 = 1\n       ^");
    }

    #[test]
    fn a_fault_of_many_lines_is_shown_in_its_first() {
        assert_eq!(place("a <b\nc> d", "<b\nc>").2, "a <b\n  ^^");
    }

    #[test]
    fn a_long_line_is_cut_on_both_sides() {
        let text = format!("{}FAULT{}", "a".repeat(5000), "b".repeat(5000));
        let (line, column, excerpt) = place(&text, "FAULT");
        assert_eq!((line, column), (1, 5001));
        let [shown, carets] = excerpt.split('\n').collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(shown.len(), 4 + 100 + 4);
        assert_eq!(carets.trim_start(), "^^^^^");
        assert_eq!(&shown[carets.find('^').unwrap()..][..5], "FAULT");
    }

    #[test]
    fn the_end_of_a_text_is_a_place() {
        let place = Place::new(b"name =\n", Span::new(7, 7));
        assert_eq!((place.line, place.column, place.excerpt), (2, 1, None));
        let place = Place::new(b"name =", Span::new(99, 100));
        assert_eq!((place.line, place.column), (1, 7));
    }
}
