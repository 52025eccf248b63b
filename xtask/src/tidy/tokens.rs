//! Small questions to a list of tokens.

use proc_macro2::{Delimiter, Group, Spacing, TokenTree};

use super::contents::{Path, Visibility};

/// The name or keyword at a place.
pub(super) fn word(tokens: &[TokenTree], at: usize) -> Option<String> {
    match tokens.get(at)? {
        TokenTree::Ident(name) => Some(name.to_string()),
        _ => None,
    }
}

pub(super) fn is_punct(tokens: &[TokenTree], at: usize, character: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

pub(super) fn group(tokens: &[TokenTree], at: usize, delimiter: Delimiter) -> Option<&Group> {
    match tokens.get(at)? {
        TokenTree::Group(group) if group.delimiter() == delimiter => Some(group),
        _ => None,
    }
}

/// The line in which a token starts.
pub(super) fn line(tokens: &[TokenTree], at: usize) -> usize {
    tokens.get(at).map_or(0, |token| lines(token).0)
}

/// The lines in which a token starts and ends.
pub(super) fn lines(token: &TokenTree) -> (usize, usize) {
    let span = token.span();
    (span.start().line, span.end().line)
}

/// An attribute and the place behind it.
pub(super) fn attribute(tokens: &[TokenTree], at: usize) -> Option<(&Group, usize)> {
    if !is_punct(tokens, at, '#') {
        return None;
    }
    let at = at + 1 + usize::from(is_punct(tokens, at + 1, '!'));
    Some((group(tokens, at, Delimiter::Bracket)?, at + 1))
}

/// A visibility and the place behind it.
pub(super) fn visibility(tokens: &[TokenTree], at: usize) -> (Visibility, usize) {
    if word(tokens, at).as_deref() != Some("pub") {
        return (Visibility::Private, at);
    }
    let restriction = group(tokens, at + 1, Delimiter::Parenthesis).and_then(|group| {
        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
        let first = word(&inner, 0)?;
        let is_path = first == "in" || inner.len() == 1;
        (is_path && ["in", "crate", "super", "self"].contains(&first.as_str())).then_some(())
    });
    match restriction {
        Some(()) => (Visibility::Restricted, at + 2),
        None => (Visibility::Public, at + 1),
    }
}

/// The place behind `const`, `unsafe` and the like before `fn`, `impl` or `trait`.
pub(super) fn qualifiers(tokens: &[TokenTree], start: usize) -> usize {
    let mut at = start;
    while let Some(word) = word(tokens, at) {
        match word.as_str() {
            "fn" | "impl" | "trait" => return at,
            "const" | "unsafe" | "async" => at += 1,
            "extern" => {
                at += 1 + usize::from(matches!(tokens.get(at + 1), Some(TokenTree::Literal(_))));
            }
            _ => return start,
        }
    }
    start
}

/// The place of the next semicolon, or the end.
pub(super) fn semicolon(tokens: &[TokenTree], at: usize) -> usize {
    (at..tokens.len())
        .find(|&at| is_punct(tokens, at, ';'))
        .unwrap_or(tokens.len())
}

/// The place of the next braces or semicolon, or the end.
pub(super) fn brace_or_semicolon(tokens: &[TokenTree], at: usize) -> usize {
    let ends =
        |&at: &usize| is_punct(tokens, at, ';') || group(tokens, at, Delimiter::Brace).is_some();
    (at..tokens.len()).find(ends).unwrap_or(tokens.len())
}

/// The place behind the angle brackets that open at a place.
pub(super) fn angle_end(tokens: &[TokenTree], at: usize) -> usize {
    let mut depth = 0_usize;
    for at in at..tokens.len() {
        if is_punct(tokens, at, '<') {
            depth += 1;
        } else if is_closing(tokens, at) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at + 1;
            }
        }
    }
    tokens.len()
}

/// The parts between commas; those in angle brackets part nothing.
pub(super) fn comma_parts(tokens: &[TokenTree]) -> Vec<&[TokenTree]> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for at in 0..tokens.len() {
        if is_punct(tokens, at, '<') {
            depth += 1;
        } else if is_closing(tokens, at) {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && is_punct(tokens, at, ',') {
            parts.push(&tokens[start..at]);
            start = at + 1;
        }
    }
    parts.push(&tokens[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

/// `>` that is no part of `->` or `=>`.
fn is_closing(tokens: &[TokenTree], at: usize) -> bool {
    let is_arrow = at > 0
        && (is_punct(tokens, at - 1, '-') || is_punct(tokens, at - 1, '='))
        && is_joint(tokens, at - 1);
    is_punct(tokens, at, '>') && !is_arrow
}

fn is_joint(tokens: &[TokenTree], at: usize) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.spacing() == Spacing::Joint)
}

/// What was found at a name.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) path: Option<Path>,
    pub(super) members: Vec<String>,
}

/// The path that starts at a name, and the place behind it.
pub(super) fn path(tokens: &[TokenTree], at: usize) -> (Found, usize) {
    let mut found = Found::default();
    let Some(first) = word(tokens, at) else {
        return (found, at + 1);
    };
    if at > 0 && is_punct(tokens, at - 1, '\'') {
        return (found, at + 1);
    }
    let mut segments = vec![first];
    let mut end = at + 1;
    while is_path_separator(tokens, end)
        && let Some(segment) = word(tokens, end + 2)
    {
        segments.push(segment);
        end += 3;
    }
    let is_member = follows_dot(tokens, at) || (at > 1 && is_path_separator(tokens, at - 2));
    found.members = segments[usize::from(!is_member)..].to_vec();
    let is_keyword = segments.len() == 1 && KEYWORDS.contains(&segments[0].as_str());
    if !is_member && !is_keyword && segments[0] != "Self" {
        let is_called = group(tokens, end, Delimiter::Parenthesis).is_some()
            || (is_punct(tokens, end, '!') && !is_joint(tokens, end));
        let is_capital = segments[0].starts_with(char::is_uppercase);
        found.path = Some(Path {
            is_item: is_called || is_capital || segments.len() > 1,
            segments,
            line: line(tokens, at),
            is_test: false,
        });
    }
    (found, end)
}

/// One dot, not the two of a range.
fn follows_dot(tokens: &[TokenTree], at: usize) -> bool {
    let is_dot = |back| at >= back && is_punct(tokens, at - back, '.');
    is_dot(1) && !is_dot(2)
}

fn is_path_separator(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens, at, ':') && is_joint(tokens, at) && is_punct(tokens, at + 1, ':')
}

const KEYWORDS: [&str; 37] = [
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "self", "static", "struct", "super", "trait", "true", "type", "unsafe", "use",
    "where", "while",
];
