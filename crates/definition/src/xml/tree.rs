//! XML as a tree of elements, each with its place; well-formed, of bounded depth, and without
//! entities or document types.
//!
//! quick-xml cuts the text into tags and texts; what it lets pass is refused here.

use std::borrow::Cow;

use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::Event;
use quick_xml::reader::Reader;

use super::attribute::{self, XmlAttribute};
use super::markup::MarkupFault;
use crate::encoding::Encoding;
use crate::span::{Span, Spanned};
use crate::spanned_fault::{AtSpan, SpannedFault};

/// How deep elements may be nested: what libxml2 allows. Definitions need five levels, foreign
/// metadata perhaps a few more; a tree this deep still fits on any stack.
const MAX_DEPTH: usize = 256;

/// An element, and what it holds.
#[derive(Debug)]
pub(super) struct XmlElement<'a> {
    /// With its prefix, if it has one.
    pub(super) name: &'a str,
    /// The start tag.
    pub(super) tag: Span,
    pub(super) attributes: Vec<XmlAttribute<'a>>,
    pub(super) elements: Vec<XmlElement<'a>>,
    /// The text directly inside, in pieces: elements, comments and references separate them.
    pub(super) texts: Vec<Spanned<Cow<'a, str>>>,
}

/// Parses a whole text that was decoded from `encoding`.
pub(super) fn parse(text: &str, encoding: Encoding) -> Result<XmlElement<'_>, SpannedFault> {
    check_characters(text)?;
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    // `TreeBuilder` checks end tags itself, since it knows the places of open elements.
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    let mut tree = TreeBuilder {
        text,
        encoding,
        open: Vec::new(),
        root: None,
    };
    loop {
        let start = position(reader.buffer_position());
        let event = reader.read_event().map_err(|error| {
            let at = position(reader.error_position());
            not_markup(&error).at(Span::new(at, at))
        })?;
        let span = Span::new(start, position(reader.buffer_position()));
        if event == Event::Eof {
            return tree.finish();
        }
        tree.take(&event, span)?;
    }
}

/// An offset in a text that is in memory.
fn position(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn check_characters(text: &str) -> Result<(), SpannedFault> {
    match text
        .char_indices()
        .find(|&(_, c)| !attribute::is_allowed(c))
    {
        None => Ok(()),
        Some((at, c)) => Err(MarkupFault::Character(c).at(Span::new(at, at + c.len_utf8()))),
    }
}

fn not_markup(error: &Error) -> MarkupFault {
    let (what, closing) = match error {
        Error::Syntax(error) => match error {
            SyntaxError::InvalidBangMarkup => return MarkupFault::Bang,
            SyntaxError::UnclosedDoctype => return MarkupFault::Doctype,
            SyntaxError::UnclosedPI => ("processing instruction", "?>"),
            SyntaxError::UnclosedXmlDecl => ("XML declaration", "?>"),
            SyntaxError::UnclosedComment => ("comment", "-->"),
            SyntaxError::UnclosedCData => ("CDATA", "]]>"),
            SyntaxError::UnclosedTag => ("tag", ">"),
            SyntaxError::UnclosedSingleQuotedAttributeValue => ("attribute's value", "'"),
            SyntaxError::UnclosedDoubleQuotedAttributeValue => ("attribute's value", "\""),
        },
        Error::IllFormed(IllFormedError::MissingDoctypeName) => return MarkupFault::Doctype,
        Error::IllFormed(IllFormedError::UnclosedReference) => return MarkupFault::Ampersand,
        other => return MarkupFault::Other(other.to_string()),
    };
    MarkupFault::Unclosed { what, closing }
}

/// Builds the tree from the parser's events.
struct TreeBuilder<'a> {
    text: &'a str,
    /// What the text was decoded from.
    encoding: Encoding,
    /// Elements without their end tag yet, the root first.
    open: Vec<XmlElement<'a>>,
    root: Option<XmlElement<'a>>,
}

impl<'a> TreeBuilder<'a> {
    fn take(&mut self, event: &Event<'_>, span: Span) -> Result<(), SpannedFault> {
        match event {
            Event::Start(_) => {
                let element = self.element(Span::new(span.start + 1, span.end - 1), span)?;
                if self.open.len() == MAX_DEPTH {
                    return Err(MarkupFault::TooDeep(MAX_DEPTH).at(span));
                }
                self.open.push(element);
            }
            Event::Empty(_) => {
                let element = self.element(Span::new(span.start + 1, span.end - 2), span)?;
                self.close(element);
            }
            Event::End(_) => self.end(span)?,
            Event::Text(_) => self.plain(span)?,
            Event::CData(_) => {
                let inner = Span::new(span.start + 9, span.end - 3);
                self.push_text(Cow::Borrowed(self.slice(inner)), inner)?;
            }
            Event::GeneralRef(_) => {
                let name = self.slice(Span::new(span.start + 1, span.end - 1));
                let c = attribute::resolve(name).map_err(|fault| fault.at(span))?;
                self.push_text(Cow::Owned(c.to_string()), span)?;
            }
            Event::Comment(_) => self.check_comment(Span::new(span.start + 4, span.end - 3))?,
            Event::Decl(_) => self.declaration(span)?,
            Event::DocType(_) => return Err(MarkupFault::Doctype.at(span)),
            Event::PI(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// The element that begins with the tag whose inside is at `inside`.
    fn element(&self, inside: Span, tag: Span) -> Result<XmlElement<'a>, SpannedFault> {
        let content = self.slice(inside);
        let name = content
            .split(|c: char| c.is_ascii_whitespace())
            .next()
            .unwrap_or_default();
        if self.open.is_empty() && self.root.is_some() {
            let name = name.to_owned();
            return Err(MarkupFault::SecondRoot { name }.at(tag));
        }
        attribute::check_name(name, Span::of(name, self.text))?;
        Ok(XmlElement {
            name,
            tag,
            attributes: attribute::attributes(content, name.len(), self.text)?,
            elements: Vec::new(),
            texts: Vec::new(),
        })
    }

    fn close(&mut self, element: XmlElement<'a>) {
        match self.open.last_mut() {
            Some(parent) => parent.elements.push(element),
            None => self.root = Some(element),
        }
    }

    fn end(&mut self, span: Span) -> Result<(), SpannedFault> {
        let found = self
            .slice(Span::new(span.start + 2, span.end - 1))
            .trim_end();
        let Some(element) = self.open.pop() else {
            let found = found.to_owned();
            return Err(MarkupFault::StrayEnd { found }.at(span));
        };
        if element.name != found {
            let before = self.slice(Span::new(0, element.tag.start));
            let line = before.matches('\n').count() + 1;
            let (open, found) = (element.name.to_owned(), found.to_owned());
            return Err(MarkupFault::WrongEnd { open, line, found }.at(span));
        }
        self.close(element);
        Ok(())
    }

    fn plain(&mut self, span: Span) -> Result<(), SpannedFault> {
        let text = self.slice(span);
        if let Some(at) = text.find("]]>") {
            let at = span.start + at;
            return Err(MarkupFault::CdataEnd.at(Span::new(at, at + 3)));
        }
        let text = if text.contains('\r') {
            Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
        } else {
            Cow::Borrowed(text)
        };
        if self.open.is_empty() && is_blank(&text) {
            return Ok(());
        }
        self.push_text(text, span)
    }

    fn push_text(&mut self, text: Cow<'a, str>, span: Span) -> Result<(), SpannedFault> {
        let Some(element) = self.open.last_mut() else {
            let junk = self.slice(span);
            let start = span.start + (junk.len() - junk.trim_start().len());
            return Err(MarkupFault::TextOutside.at(Span::new(start, start + junk.trim().len())));
        };
        element.texts.push(Spanned::new(text, span));
        Ok(())
    }

    /// XML does not allow `--` in a comment, and so no dash before its end.
    fn check_comment(&self, inside: Span) -> Result<(), SpannedFault> {
        let comment = self.slice(Span::new(inside.start, inside.end + 1));
        match comment.find("--") {
            None => Ok(()),
            Some(at) => {
                let at = inside.start + at;
                Err(MarkupFault::CommentDashes.at(Span::new(at, at + 2)))
            }
        }
    }

    /// White space before the declaration is accepted, since editors leave it behind.
    fn declaration(&self, span: Span) -> Result<(), SpannedFault> {
        if !is_blank(self.slice(Span::new(0, span.start))) {
            return Err(MarkupFault::LateDeclaration.at(span));
        }
        let inside = self.slice(Span::new(span.start + 2, span.end - 2));
        let attributes = attribute::attributes(inside, "xml".len(), self.text)?;
        let mut version = None;
        for attribute in attributes {
            let value = attribute.value.value.as_ref();
            match attribute.name {
                "version" => version = Some((value.to_owned(), attribute.value.span)),
                "encoding" if !self.encoding.has_name(value) => {
                    let fault = MarkupFault::Encoding(value.to_owned());
                    return Err(fault.at(attribute.value.span));
                }
                _ => {}
            }
        }
        match version {
            None => Err(MarkupFault::NoVersion.at(span)),
            Some((version, at)) if version != "1.0" && version != "1.1" => {
                Err(MarkupFault::Version(version).at(at))
            }
            Some(_) => Ok(()),
        }
    }

    fn finish(mut self) -> Result<XmlElement<'a>, SpannedFault> {
        if let Some(element) = self.open.pop() {
            let name = element.name.to_owned();
            return Err(MarkupFault::NeverClosed { name }.at(element.tag));
        }
        self.root
            .ok_or_else(|| MarkupFault::NoElement.at(Span::new(0, 0)))
    }
}

/// Whether a text is white space as XML defines it.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes()
        .all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
}
