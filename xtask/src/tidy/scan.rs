//! Reads one file: the modules, imports, items and paths in it.
//!
//! A file is read as tokens, not as a syntax tree: paths inside of macros count like all others.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::contents::{Child, Contents, Function, Item, Kind, Path, Visibility};
use super::imports::imports;
use super::tokens::{
    attribute, brace_or_semicolon, comma_parts, group, is_punct, line, lines, path, qualifiers,
    semicolon, visibility, word,
};

/// Where tokens stand.
#[derive(Clone, Copy)]
enum Place<'a> {
    Module,
    Impl(&'a [String]),
    /// Bodies, signatures, macros.
    Code,
}

/// Reads a whole file.
pub(super) fn scan(text: &str, is_test: bool) -> Result<Contents, String> {
    let stream: TokenStream = text.parse().map_err(|error| format!("{error}"))?;
    let mut contents = Contents::new(is_test);
    contents.read(stream, Place::Module);
    Ok(contents)
}

impl Contents {
    fn new(is_test: bool) -> Self {
        Self {
            is_test,
            ..Self::default()
        }
    }

    fn read(&mut self, stream: TokenStream, place: Place<'_>) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        self.read_tokens(&tokens, place);
    }

    fn read_tokens(&mut self, tokens: &[TokenTree], place: Place<'_>) {
        let mut at = 0;
        let mut attributes = Attributes::default();
        while at < tokens.len() {
            if let Some((group, next)) = attribute(tokens, at) {
                attributes.add(group);
                self.read(attributes.code(group), Place::Code);
                at = next;
                continue;
            }
            let (visibility, start) = visibility(tokens, at);
            let start = qualifiers(tokens, start);
            let is_test = self.is_test;
            self.is_test |= attributes.is_test;
            at = self
                .declaration(tokens, start, (visibility, &attributes, place))
                .unwrap_or_else(|| self.code(tokens, start));
            self.is_test = is_test;
            if let (true, Some(first), Some(last)) =
                (attributes.is_test, attributes.line, tokens.get(at - 1))
            {
                self.tests.push((first, lines(last).1));
            }
            attributes = Attributes::default();
        }
    }

    /// Reads a declaration, if one starts here; where it ends.
    fn declaration(
        &mut self,
        tokens: &[TokenTree],
        at: usize,
        (visibility, attributes, place): (Visibility, &Attributes, Place<'_>),
    ) -> Option<usize> {
        let keyword = word(tokens, at)?;
        let name = || word(tokens, at + 1);
        let line = line(tokens, at);
        match (keyword.as_str(), place) {
            ("use", _) if !is_punct(tokens, at + 1, '<') => {
                let end = semicolon(tokens, at);
                let tree = &tokens[at + 1..end];
                let mut new = imports(tree, &[], visibility);
                new.iter_mut()
                    .for_each(|import| import.is_test = self.is_test);
                self.imports.append(&mut new);
                Some(end + 1)
            }
            ("mod", Place::Module) => {
                let inline = group(tokens, at + 2, Delimiter::Brace).map(|group| {
                    let mut contents = Self::new(self.is_test);
                    contents.read(group.stream(), Place::Module);
                    self.functions.append(&mut contents.functions);
                    self.tests.append(&mut contents.tests);
                    contents
                });
                self.children.push(Child {
                    name: name()?,
                    visibility,
                    is_test: self.is_test,
                    path: attributes.path.clone(),
                    inline,
                    line,
                });
                Some(at + 3)
            }
            ("fn", _) => Some(self.function(tokens, at, (name()?, visibility, place))),
            ("impl", Place::Module) => Some(self.implementation(tokens, at)),
            ("macro_rules", Place::Module) => {
                self.items.push(Item::new(
                    Kind::Macro,
                    word(tokens, at + 2)?,
                    visibility,
                    line,
                ));
                self.read_tokens(&tokens[at + 3..at + 4], Place::Code);
                Some(at + 4)
            }
            ("struct" | "union" | "enum" | "trait", Place::Module) => {
                let end = brace_or_semicolon(tokens, at);
                let rest = tokens.get(at + 2..=end)?;
                let kind = if keyword == "trait" {
                    Kind::Trait
                } else {
                    Kind::Type
                };
                let mut item = Item::new(kind, name()?, visibility, line);
                item.signature = match keyword.as_str() {
                    "struct" | "union" => seen_of_fields(rest),
                    "trait" => seen_of_members(rest),
                    _ => paths(rest.iter().cloned().collect()),
                };
                self.items.push(item);
                self.read_tokens(rest, Place::Code);
                Some(end + 1)
            }
            ("type" | "static" | "const", Place::Module | Place::Impl(_)) => {
                let name_at = at + 1 + usize::from(name()? == "mut");
                let end = semicolon(tokens, at);
                let rest = tokens.get(name_at + 1..end)?;
                let value = (0..rest.len()).find(|&at| is_punct(rest, at, '='));
                let seen = match (keyword.as_str(), value) {
                    ("static" | "const", Some(value)) => &rest[..value],
                    _ => rest,
                };
                let mut item = Item::new(Kind::Constant, word(tokens, name_at)?, visibility, line);
                item.signature = paths(seen.iter().cloned().collect());
                match place {
                    Place::Impl(owner) => {
                        item.kind = Kind::Member;
                        item.owner = Some(owner.to_vec());
                    }
                    _ if keyword == "type" => item.kind = Kind::Type,
                    _ => {}
                }
                self.items.push(item);
                self.read_tokens(rest, Place::Code);
                Some(end + 1)
            }
            _ => None,
        }
    }

    fn function(
        &mut self,
        tokens: &[TokenTree],
        at: usize,
        (name, visibility, place): (String, Visibility, Place<'_>),
    ) -> usize {
        let end = brace_or_semicolon(tokens, at);
        let (signature, line) = (&tokens[at + 2..end], line(tokens, at));
        let mut item = Item::new(Kind::Function, name.clone(), visibility, line);
        item.signature = paths(signature.iter().cloned().collect());
        match place {
            Place::Module => self.items.push(item),
            Place::Impl(owner) => {
                item.kind = Kind::Member;
                item.owner = Some(owner.to_vec());
                self.items.push(item);
            }
            Place::Code => {}
        }
        self.read_tokens(signature, Place::Code);
        if let Some(body) = group(tokens, end, Delimiter::Brace) {
            let last = body.span_close().end().line;
            self.functions.push(Function {
                name,
                line,
                length: last + 1 - line,
                is_test: self.is_test,
            });
            self.read(body.stream(), Place::Code);
        }
        end + 1
    }

    fn implementation(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        let end = brace_or_semicolon(tokens, at);
        let header = &tokens[at + 1..end];
        self.read_tokens(header, Place::Code);
        let (owner, is_of_trait) = owner(header);
        if let Some(body) = group(tokens, end, Delimiter::Brace) {
            let members = self.items.len();
            self.read(body.stream(), Place::Impl(&owner));
            if is_of_trait {
                let members = self.items.drain(members..);
                let mut seen = paths(header.iter().cloned().collect());
                // Of a trait's methods the trait tells; its types are this impl's own.
                seen.extend(members.flat_map(|item| item.signature));
                let mut item = Item::new(
                    Kind::Impl,
                    String::new(),
                    Visibility::Public,
                    line(tokens, at),
                );
                item.owner = Some(owner);
                item.signature = seen;
                self.items.push(item);
            }
        }
        end + 1
    }

    /// Reads a path, a group or a token without meaning here; where it ends.
    fn code(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        match tokens.get(at) {
            Some(TokenTree::Group(group)) => self.read(group.stream(), Place::Code),
            Some(TokenTree::Ident(_)) => {
                let (found, next) = path(tokens, at);
                self.members.extend(found.members);
                let is_test = self.is_test;
                let path = found.path.map(|path| Path { is_test, ..path });
                self.paths.extend(path);
                return next;
            }
            _ => {}
        }
        at + 1
    }
}

impl Item {
    fn new(kind: Kind, name: String, visibility: Visibility, line: usize) -> Self {
        Self {
            kind,
            name,
            visibility,
            line,
            owner: None,
            signature: Vec::new(),
        }
    }
}

/// What attributes say of the declaration behind them.
#[derive(Default)]
struct Attributes {
    is_test: bool,
    path: Option<String>,
    line: Option<usize>,
}

impl Attributes {
    fn add(&mut self, group: &Group) {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        self.line.get_or_insert(group.span().start().line);
        match word(&tokens, 0).as_deref() {
            Some("cfg") => {
                let text = group.stream().to_string().replace(' ', "");
                self.is_test |= text == "cfg(test)" || text.starts_with("cfg(all(test,");
            }
            Some("path") => {
                let value = tokens.get(2).map(ToString::to_string).unwrap_or_default();
                self.path = Some(value.trim_matches('"').to_owned());
            }
            _ => {}
        }
    }

    /// The part of an attribute that may name items.
    fn code(&self, group: &Group) -> TokenStream {
        let mut tokens = group.stream().into_iter();
        match tokens.next() {
            Some(TokenTree::Ident(name)) if name == "doc" || name == "cfg" => TokenStream::new(),
            _ => tokens.collect(),
        }
    }
}

/// All paths in tokens, without an eye to declarations.
fn paths(stream: TokenStream) -> Vec<Path> {
    let mut contents = Contents::default();
    contents.read(stream, Place::Code);
    contents.paths
}

/// The paths in bounds and public fields.
fn seen_of_fields(tokens: &[TokenTree]) -> Vec<Path> {
    let mut seen = Vec::new();
    for token in tokens {
        let TokenTree::Group(fields) = token else {
            continue;
        };
        let fields: Vec<TokenTree> = fields.stream().into_iter().collect();
        for field in comma_parts(&fields) {
            let mut at = 0;
            while let Some((_, next)) = attribute(field, at) {
                at = next;
            }
            if visibility(field, at).0 == Visibility::Public {
                seen.extend(paths(field.iter().cloned().collect()));
            }
        }
    }
    let bounds = tokens
        .iter()
        .filter(|token| !matches!(token, TokenTree::Group(_)));
    seen.extend(paths(bounds.cloned().collect()));
    seen
}

/// The paths in bounds and signatures, not in bodies.
fn seen_of_members(tokens: &[TokenTree]) -> Vec<Path> {
    let is_body = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    let mut seen = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(members) if is_body(token) => {
                let members = members.stream().into_iter();
                seen.extend(paths(members.filter(|member| !is_body(member)).collect()));
            }
            _ => {}
        }
    }
    let bounds = tokens.iter().filter(|token| !is_body(token));
    seen.extend(paths(bounds.cloned().collect()));
    seen
}

/// The type of an impl, and whether the impl is of a trait.
fn owner(header: &[TokenTree]) -> (Vec<String>, bool) {
    let of_trait = (0..header.len())
        .find(|&at| word(header, at).as_deref() == Some("for") && !is_punct(header, at + 1, '<'));
    let mut at = of_trait.map_or(0, |at| at + 1);
    if of_trait.is_none() && is_punct(header, 0, '<') {
        at = super::tokens::angle_end(header, 0);
    }
    let named = (at..header.len()).find_map(|at| path(header, at).0.path);
    let owner = named.map(|path| path.segments).unwrap_or_default();
    (owner, of_trait.is_some())
}
