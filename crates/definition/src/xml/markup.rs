//! Text that is not well-formed XML.

use std::borrow::Cow;

use palisade_core::{ErrorKind, Hint};
use thiserror::Error;

/// A text that is not well-formed XML, or uses features of XML that are refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MarkupFault {
    /// The text ends within a tag, a comment or the like.
    #[error("the {what} is not closed")]
    Unclosed {
        /// What begins there.
        what: &'static str,
        /// The characters that close it.
        closing: &'static str,
    },
    /// An element without an end tag.
    #[error("`<{name}>` is not closed")]
    NeverClosed {
        /// The element.
        name: String,
    },
    /// An end tag that does not match the innermost open element.
    #[error("`</{found}>` stands where `<{open}>` of line {line} must be closed first")]
    WrongEnd {
        /// The element that is open.
        open: String,
        /// The line of its start tag.
        line: usize,
        /// The end tag.
        found: String,
    },
    /// An end tag where nothing is open.
    #[error("`</{found}>` closes nothing")]
    StrayEnd {
        /// The end tag.
        found: String,
    },
    /// Elements nested too deep.
    #[error("elements are nested deeper than {0}")]
    TooDeep(usize),
    /// No element at all.
    #[error("there is no element")]
    NoElement,
    /// A second element at the top.
    #[error("a second element `<{name}>` follows the first")]
    SecondRoot {
        /// The second element.
        name: String,
    },
    /// Text outside of all elements.
    #[error("text stands outside of `<network>`")]
    TextOutside,
    /// `<!` without a comment, CDATA or document type.
    #[error("`<!` begins neither a comment nor CDATA")]
    Bang,
    /// A document type, which may define entities and name external files.
    #[error("a document type (`<!DOCTYPE>`) is refused")]
    Doctype,
    /// An entity that only a document type could define.
    #[error("the entity `&{name};` is refused")]
    Entity {
        /// Its name.
        name: String,
    },
    /// `&` without a name and `;`.
    #[error("`&` begins no reference")]
    Ampersand,
    /// A character reference to a character that XML does not allow.
    #[error("`&{reference};` stands for no character that XML allows")]
    Reference {
        /// The text between `&` and `;`.
        reference: String,
    },
    /// A character that XML does not allow.
    #[error("character U+{:04X} is not allowed in XML", u32::from(*.0))]
    Character(char),
    /// `--` within a comment.
    #[error("a comment holds `--`")]
    CommentDashes,
    /// `]]>` in text.
    #[error("`]]>` stands outside of CDATA")]
    CdataEnd,
    /// An invalid name of a tag or an attribute.
    #[error("`{0}` is not a name in XML")]
    Name(String),
    /// `<>`, `< name>`, or a value without an attribute.
    #[error("a name is missing")]
    NoName,
    /// An attribute without `=`, or without quotes.
    #[error("an attribute has no quoted value")]
    Unquoted,
    /// Two attributes without white space between them.
    #[error("attributes are not separated")]
    Touching,
    /// `<` within an attribute's value.
    #[error("`<` stands in the value of `{attribute}`")]
    LessThan {
        /// The attribute.
        attribute: String,
    },
    /// One attribute twice in one tag.
    #[error("attribute `{attribute}` is given twice")]
    AttributeTwice {
        /// The attribute.
        attribute: String,
    },
    /// `<?xml ...?>` that is not at the beginning.
    #[error("the XML declaration does not stand at the beginning")]
    LateDeclaration,
    /// An unknown version of XML.
    #[error("`{0}` is not a version of XML")]
    Version(String),
    /// `<?xml?>` without a version.
    #[error("the XML declaration names no version")]
    NoVersion,
    /// An encoding other than UTF-8.
    #[error("encoding `{0}` is not read")]
    Encoding(String),
    /// Any other error of the parser.
    #[error("not XML: {0}")]
    Other(String),
}

impl Hint for MarkupFault {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Definition
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Unclosed { closing, .. } => format!("`{closing}` is missing").into(),
            Self::NeverClosed { .. } => {
                "add the end tag, or write `/>` for an empty element".into()
            }
            Self::WrongEnd { .. } => "close elements in the reverse order of opening".into(),
            Self::StrayEnd { .. } => "remove it, or add the start tag".into(),
            Self::TooDeep(_) => "definitions need five levels; is this the right file?".into(),
            Self::NoElement => "write `<network>...</network>`".into(),
            Self::SecondRoot { .. } => "give each network a file of its own".into(),
            Self::TextOutside => "remove it, or make it a comment: `<!-- ... -->`".into(),
            Self::Bang => "comments are written `<!-- ... -->`".into(),
            Self::Doctype => "remove it: definitions need no entities and no other files".into(),
            Self::Entity { .. } => {
                "write the character itself, or one of &lt; &gt; &amp; &quot; &apos;".into()
            }
            Self::Ampersand => "write `&amp;` for the character itself".into(),
            Self::Reference { .. } => "write the character itself".into(),
            Self::Character(_) => "remove it".into(),
            Self::CommentDashes => "write one dash, or `- -`".into(),
            Self::CdataEnd => "write `]]&gt;`".into(),
            Self::Name(_) | Self::NoName => {
                "names begin with a letter and hold letters, digits, `-`, `_`, `.`".into()
            }
            Self::Unquoted => "write NAME='VALUE'".into(),
            Self::Touching => "put a space between them".into(),
            Self::LessThan { .. } => "is a quote missing? the character itself is `&lt;`".into(),
            Self::AttributeTwice { .. } => "keep one of them".into(),
            Self::LateDeclaration => "move `<?xml ...?>` to the beginning, or remove it".into(),
            Self::Version(_) | Self::NoVersion => "write `<?xml version='1.0'?>`".into(),
            Self::Encoding(_) => "save the file as UTF-8, and say so in the declaration".into(),
            Self::Other(_) => "`virsh net-dumpxml` and `xmllint` show what XML looks like".into(),
        }
    }
}
