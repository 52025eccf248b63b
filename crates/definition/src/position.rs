//! Places in a text as people count them: lines, columns, and an excerpt of the line.

use palisade_core::words::character;
use unicode_width::UnicodeWidthStr;

use super::span::Span;

/// The text without the byte order mark that some editors put before it. Spans count from there.
pub(crate) fn without_byte_order_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// How many characters of the line the excerpt shows before the fault.
const BEFORE: usize = 50;
/// How many characters of the line the excerpt shows in all.
const SHOWN: usize = 100;

/// A place in a text as people count it, with an excerpt of its line.
#[derive(Debug, Clone)]
pub(crate) struct Position {
    /// From 1.
    pub(crate) line: usize,
    /// In characters, from 1.
    pub(crate) column: usize,
    /// The line (or the part of a long one that is near the fault), and the carets below it; `None`
    /// if the line is blank.
    pub(crate) excerpt: Option<[String; 2]>,
}

impl Position {
    /// The position of a span in a text.
    pub(crate) fn new(bytes: &[u8], span: Span) -> Self {
        let bytes = without_byte_order_mark(bytes);
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
        // The span of a byte that is not UTF-8 begins behind valid text.
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

/// The beginning of a part of a line, printable, up to `room` characters; bytes that are not UTF-8
/// are shown in hexadecimal.
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

    fn position(text: &str, part: &str) -> (usize, usize, String) {
        let start = text.find(part).unwrap();
        let position = Position::new(text.as_bytes(), Span::new(start, start + part.len()));
        let excerpt = position.excerpt.unwrap_or_default();
        (position.line, position.column, excerpt.join("\n"))
    }

    #[test]
    fn columns_are_characters_with_carets_below() {
        let text = "first\r\n\t<größe name='ß' mode='x'/>\r\nlast";
        assert_eq!(
            position(text, "x'"),
            (
                2,
                24,
                "<größe name='ß' mode='x'/>\n                      ^^".to_owned()
            )
        );
        assert_eq!(position(text, "last").0, 3);
        assert_eq!(position("名前 = 1", "1").2, "名前 = 1\n       ^");
    }

    #[test]
    fn a_fault_of_many_lines_is_shown_in_its_first() {
        assert_eq!(position("a <b\nc> d", "<b\nc>").2, "a <b\n  ^^");
    }

    #[test]
    fn a_long_line_is_cut_on_both_sides() {
        let text = format!("{}FAULT{}", "a".repeat(5000), "b".repeat(5000));
        let (line, column, excerpt) = position(&text, "FAULT");
        assert_eq!((line, column), (1, 5001));
        let [shown, carets] = excerpt.split('\n').collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(shown.len(), 4 + 100 + 4);
        assert_eq!(carets.trim_start(), "^^^^^");
        assert_eq!(&shown[carets.find('^').unwrap()..][..5], "FAULT");
    }

    #[test]
    fn the_end_of_a_text_is_a_place() {
        let position = Position::new(b"name =\n", Span::new(7, 7));
        assert_eq!(
            (position.line, position.column, position.excerpt),
            (2, 1, None)
        );
        let position = Position::new(b"name =", Span::new(99, 100));
        assert_eq!((position.line, position.column), (1, 7));
    }
}
