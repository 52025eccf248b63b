//! Everything in one table: what shall be there, or what a dump found.

use std::fmt;

use palisade_core::network::{Family, Network};

use crate::layout::{self, Item, Layout, TableName};
use crate::object::{
    BaseChain, Chain, DataType, Element, Expression, Hook, Rule, Set, Table, Value,
};
use crate::statement::{Stateful, concatenation, quoted};

/// A table with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The table.
    pub table: Table,
    /// Its sets, in the order in which they were made.
    pub sets: Vec<FilledSet>,
    /// Its chains, in the order in which they were made.
    pub chains: Vec<FilledChain>,
}

/// A set and its elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilledSet {
    /// The set.
    pub set: Set,
    /// Its elements.
    pub elements: Vec<Element>,
}

/// A chain and its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilledChain {
    /// The chain.
    pub chain: Chain,
    /// Its rules, in the order in which packets meet them.
    pub rules: Vec<Rule>,
}

impl Program {
    /// What shall be in our table of this family for these networks, in the order in which they
    /// were started. None if they need nothing there.
    #[must_use]
    pub fn of(name: &TableName, family: Family, networks: &[(Layout, &Network)]) -> Option<Self> {
        let mut program = Self::empty(name, family);
        let mut is_needed = false;
        for layout in [Layout::Flat, Layout::Mapped] {
            let of_layout = || {
                let named = networks.iter().filter(|&&(of, _)| of == layout);
                named.map(|&(_, network)| network)
            };
            let Some(skeleton) = layout.skeleton(name, family, of_layout()) else {
                continue;
            };
            is_needed = true;
            program.extend(skeleton);
            let items: Vec<Item> = of_layout()
                .flat_map(|network| layout.items(name, family, network))
                .collect();
            // Each rule goes to the head of its chain.
            for item in items.into_iter().rev() {
                program.put(item);
            }
        }
        is_needed.then_some(program)
    }

    /// Our table with what it has for every layout.
    pub(crate) fn empty(name: &TableName, family: Family) -> Self {
        let transaction = FilledSet {
            set: layout::transaction_set(name, family),
            elements: Vec::new(),
        };
        let unfilled = |chain| FilledChain {
            chain,
            rules: Vec::new(),
        };
        Self {
            table: layout::table(name, family),
            sets: vec![transaction],
            chains: layout::admin_chains(name, family).map(unfilled).into(),
        }
    }

    pub(crate) fn extend(&mut self, skeleton: layout::Skeleton) {
        let fill = |set| FilledSet {
            set,
            elements: Vec::new(),
        };
        self.sets.extend(skeleton.sets.into_iter().map(fill));
        let fill = |chain| FilledChain {
            chain,
            rules: Vec::new(),
        };
        self.chains.extend(skeleton.chains.into_iter().map(fill));
        for rule in skeleton.rules {
            self.put(Item::Rule(rule));
        }
    }

    fn put(&mut self, item: Item) {
        match item {
            Item::Rule(rule) => {
                let chain = self.chains.iter_mut().find(|c| c.chain.name == rule.chain);
                if let Some(chain) = chain {
                    chain.rules.push(rule);
                }
            }
            Item::Element { set, mut element } => {
                let name = set.name();
                if let Some(filled) = self.sets.iter_mut().find(|s| s.set.name == name) {
                    // The kernel gives each element its own copy of the set's expressions.
                    element.expressions.clone_from(&filled.set.expressions);
                    filled.elements.push(element);
                }
            }
        }
    }

    /// The chain of this name.
    #[must_use]
    pub fn chain(&self, name: &str) -> Option<&FilledChain> {
        self.chains.iter().find(|chain| chain.chain.name == name)
    }

    /// The set of this name.
    #[must_use]
    pub fn set(&self, name: &str) -> Option<&FilledSet> {
        self.sets.iter().find(|set| set.set.name == name)
    }
}

/// As `nft list table` prints it, with what counters say; the alternate form (`{:#}`) as
/// `nft --stateless list table` does, without. Both can be loaded with `nft -f`.
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "table {} {} {{", self.table.family, self.table.name)?;
        if let Some(comment) = self.table.userdata.text() {
            writeln!(f, "\tcomment {}", quoted(comment))?;
        }
        let mut separator = "";
        for set in &self.sets {
            f.write_str(separator)?;
            set.fmt(f)?;
            separator = "\n";
        }
        for chain in &self.chains {
            f.write_str(separator)?;
            chain.fmt(f)?;
            separator = "\n";
        }
        writeln!(f, "}}")
    }
}

impl fmt::Display for FilledSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { set, elements } = self;
        let kind = if set.data.is_some() { "map" } else { "set" };
        writeln!(f, "\t{kind} {} {{", set.name)?;
        writeln!(f, "\t\ttype {}", TypeNames(set))?;
        for expression in &set.expressions {
            writeln!(f, "\t\t{}", Stateful(expression))?;
        }
        if let Some(comment) = set.userdata.set_text() {
            writeln!(f, "\t\tcomment {}", quoted(comment))?;
        }
        // A hash set has no order of its own.
        let mut elements: Vec<&Element> = elements.iter().collect();
        elements.sort_by(|a, b| a.key.cmp(&b.key));
        for (i, element) in elements.iter().enumerate() {
            let before = if i == 0 {
                "\t\telements = { "
            } else {
                ",\n\t\t\t     "
            };
            f.write_str(before)?;
            let shown = ElementOf { set, element };
            if f.alternate() {
                write!(f, "{shown:#}")?;
            } else {
                write!(f, "{shown}")?;
            }
        }
        if !elements.is_empty() {
            writeln!(f, " }}")?;
        }
        writeln!(f, "\t}}")
    }
}

/// The types of a set's keys, and of what a map leads to.
pub(crate) struct TypeNames<'a>(pub(crate) &'a Set);

impl fmt::Display for TypeNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_types(f, self.0.key_type)?;
        match self.0.data {
            Some(data) if data.data_type == DataType::VERDICT => f.write_str(" : verdict"),
            Some(data) => {
                f.write_str(" : ")?;
                write_types(f, data.data_type)
            }
            None => Ok(()),
        }
    }
}

fn write_types(f: &mut fmt::Formatter<'_>, of: DataType) -> fmt::Result {
    for (i, part) in of.parts().enumerate() {
        let dot = if i > 0 { " . " } else { "" };
        write!(f, "{dot}{}", part.name().unwrap_or("unknown"))?;
    }
    Ok(())
}

/// An element in nft syntax: key, counter, comment. The set knows what the key's bytes are.
pub struct ElementOf<'a> {
    /// The set it is in.
    pub set: &'a Set,
    /// The element.
    pub element: &'a Element,
}

impl fmt::Display for ElementOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { set, element } = self;
        write!(f, "{}", concatenation(set.key_type, &element.key))?;
        for expression in &element.expressions {
            match expression {
                Expression::Counter(counter) if !f.alternate() => write!(f, " {counter}")?,
                other => write!(f, " {}", Stateful(other))?,
            }
        }
        if let Some(comment) = element.userdata.text() {
            write!(f, " comment {}", quoted(comment))?;
        }
        match &element.value {
            Some(Value::Verdict(verdict)) => write!(f, " : {verdict}"),
            Some(Value::Bytes(bytes)) => {
                let kind = set.data.map(|data| data.data_type).unwrap_or_default();
                write!(f, " : {}", concatenation(kind, bytes))
            }
            None => Ok(()),
        }
    }
}

/// A chain without its rules, in one line of nft syntax.
pub(crate) fn chain_in_a_line(chain: &Chain) -> String {
    let Chain { name, base, .. } = chain;
    match base {
        Some(base) => format!(
            "{name} {{ type {} hook {} priority {}; policy {}; }}",
            base.kind,
            base.hook,
            PriorityOf(base),
            base.policy
        ),
        None => name.clone(),
    }
}

/// A set without its elements, in one line of nft syntax.
pub(crate) fn set_in_a_line(set: &Set) -> String {
    let expressions = set.expressions.iter();
    let expressions: String = expressions
        .map(|expression| format!(" {};", Stateful(expression)))
        .collect();
    format!("{} {{ type {};{expressions} }}", set.name, TypeNames(set))
}

/// A base chain's priority: by name where it has the one that is usual at its hook.
struct PriorityOf<'a>(&'a BaseChain);

impl fmt::Display for PriorityOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.priority, self.0.hook) {
            (0, _) => f.write_str("filter"),
            (100, Hook::POSTROUTING) => f.write_str("srcnat"),
            (-100, Hook::PREROUTING) => f.write_str("dstnat"),
            (number, _) => write!(f, "{number}"),
        }
    }
}

/// The same with its number.
pub(crate) struct Numbered<'a>(pub(crate) &'a BaseChain);

impl fmt::Display for Numbered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0.priority.to_string();
        match PriorityOf(self.0).to_string() {
            name if name == number => f.write_str(&number),
            name => write!(f, "{name} ({number})"),
        }
    }
}

impl fmt::Display for FilledChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chain, rules } = self;
        writeln!(f, "\tchain {} {{", chain.name)?;
        if let Some(comment) = chain.userdata.text() {
            writeln!(f, "\t\tcomment {}", quoted(comment))?;
        }
        if let Some(base) = &chain.base {
            writeln!(
                f,
                "\t\ttype {} hook {} priority {}; policy {};",
                base.kind,
                base.hook,
                PriorityOf(base),
                base.policy
            )?;
        }
        for rule in rules {
            if f.alternate() {
                writeln!(f, "\t\t{rule:#}")?;
            } else {
                writeln!(f, "\t\t{rule}")?;
            }
        }
        writeln!(f, "\t}}")
    }
}
