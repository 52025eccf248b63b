//! What one file has: modules, imports, items and paths.

/// A module, as far as one file has it.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) children: Vec<Child>,
    pub(super) imports: Vec<Import>,
    pub(super) items: Vec<Item>,
    pub(super) paths: Vec<Path>,
    /// Names behind a dot or a `::`: methods, fields, variants.
    pub(super) members: Vec<String>,
    pub(super) functions: Vec<Function>,
    /// Whether what is read now is compiled for tests only.
    pub(super) is_test: bool,
    /// First and last lines of what is compiled for tests only.
    pub(super) tests: Vec<(usize, usize)>,
}

/// A `mod` declaration.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) name: String,
    pub(super) visibility: Visibility,
    pub(super) is_test: bool,
    /// The value of its `#[path]`.
    pub(super) path: Option<String>,
    /// None where the module is a file of its own.
    pub(super) inline: Option<Contents>,
    pub(super) line: usize,
}

/// One name of a `use` declaration.
#[derive(Debug, Clone)]
pub(super) struct Import {
    pub(super) segments: Vec<String>,
    /// None for a glob.
    pub(super) name: Option<String>,
    pub(super) visibility: Visibility,
    pub(super) line: usize,
    pub(super) is_test: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visibility {
    Private,
    Restricted,
    Public,
}

/// Anything with a name that others can use.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) visibility: Visibility,
    pub(super) line: usize,
    /// The type of a method, constant of a type or impl.
    pub(super) owner: Option<Vec<String>>,
    /// The paths that users of the item see: parameters, public fields, bounds.
    pub(super) signature: Vec<Path>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Function,
    Type,
    Trait,
    Constant,
    Macro,
    /// A method or constant of a type.
    Member,
    /// A trait's impl: its types are as public as the type is.
    Impl,
}

/// A path in code, also of one name only.
#[derive(Debug, Clone)]
pub(super) struct Path {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
    /// Whether a variable cannot be meant: a type, a constant, a call.
    pub(super) is_item: bool,
    pub(super) is_test: bool,
}

/// A function with a body.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) length: usize,
    pub(super) is_test: bool,
}
