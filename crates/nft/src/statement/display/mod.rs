//! Statements in nft syntax.

mod action;
mod context;
mod fib;
mod field;
mod format;
mod matching;
mod other;
mod protocol;
#[cfg(test)]
mod tests;

use std::fmt;

use super::{Clamp, Origin, Raw, Statement, quoted};
use crate::object::{Comparison, Counter, Expression, Family, PayloadBase, Rule, Verdict};
use context::Context;

impl Statement {
    /// The statement in nft syntax, in a table of this family. The alternate form (`{:#}`) leaves
    /// out what counters say, as `nft --stateless` does.
    pub fn text(&self, family: Family) -> impl fmt::Display + '_ {
        Text {
            statement: self,
            context: Context::of(family),
        }
    }
}

/// Statements of a rule one by one, as `nft --stateless` lists them: each is read with what those
/// before it say of the packet, and those that only say which header the next one reads are left
/// out.
#[must_use]
pub(crate) fn texts(statements: &[Statement], family: Family) -> Vec<String> {
    let texts = told(statements, family);
    texts.iter().map(|text| format!("{text:#}")).collect()
}

/// An expression that each element of a set has for itself, as `nft --stateless` lists it.
pub(crate) struct Stateful<'a>(pub(crate) &'a Expression);

impl fmt::Display for Stateful<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expression::Counter(_) => f.write_str("counter"),
            Expression::Limit(limit) => other::write_limit(f, *limit),
            other => Raw(other).fmt(f),
        }
    }
}

fn told(statements: &[Statement], family: Family) -> Vec<Told<'_>> {
    let mut context = Context::of(family);
    let mut told = Vec::new();
    let mut rest = statements;
    while let [statement, behind @ ..] = rest {
        rest = behind;
        if let Some((text, count)) = other::several(statement, behind, context) {
            told.push(Told::Several(text));
            rest = &behind[count..];
            continue;
        }
        if !context::only_leads_on(statement, behind) {
            told.push(Told::One(Text { statement, context }));
        }
        context.learn(statement);
    }
    told
}

/// One statement, or several of ours that are one of nft's.
enum Told<'a> {
    One(Text<'a>),
    Several(String),
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(text) => text.fmt(f),
            Self::Several(text) => f.write_str(text),
        }
    }
}

struct Text<'a> {
    statement: &'a Statement,
    context: Context,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.statement {
            Statement::Match(matching) => matching::write(f, matching, self.context),
            Statement::Counter(_) if f.alternate() => f.write_str("counter"),
            Statement::Counter(counter) => write!(f, "{counter}"),
            Statement::Verdict(verdict) => write!(f, "{verdict}"),
            Statement::Reject(reject) => action::write_reject(f, *reject, self.context.family),
            Statement::Translate(translate) => action::write_translate(f, *translate),
            Statement::Redirect(redirect) => matching::write_redirect(f, redirect, self.context),
            Statement::ClampMss(Clamp::RouteMtu) => {
                f.write_str("tcp option maxseg size set rt mtu")
            }
            Statement::ClampMss(Clamp::Size(bytes)) => {
                write!(f, "tcp option maxseg size set {bytes}")
            }
            Statement::Limit(limit) => other::write_limit(f, *limit),
            Statement::Log(log) => other::write_log(f, log),
            Statement::Other(expression) => other::write(f, expression),
        }
    }
}

/// A rule in nft syntax, with its comment, as `nft list` prints it; the alternate form (`{:#}`) as
/// `nft --stateless list` does.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statements = super::statements(&self.expressions);
        for (i, text) in told(&statements, self.family).iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            fmt::Display::fmt(text, f)?;
        }
        match self.userdata.text() {
            Some(comment) => write!(f, " comment {}", quoted(comment)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "counter packets {} bytes {}", self.packets, self.bytes)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop => f.write_str("drop"),
            Self::Accept => f.write_str("accept"),
            Self::Continue => f.write_str("continue"),
            Self::Return => f.write_str("return"),
            Self::Jump(chain) => write!(f, "jump {chain}"),
            Self::Goto(chain) => write!(f, "goto {chain}"),
            Self::Other(code) => write!(f, "verdict-{code}"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

impl Origin {
    /// Which address of a packet of this family the bytes belong to, from its first byte on.
    #[must_use]
    pub(crate) fn address_of(self, family: Family) -> Option<super::End> {
        let Self::Payload {
            base: PayloadBase::NETWORK,
            offset,
            len,
        } = self
        else {
            return None;
        };
        if !matches!(family, Family::Ip | Family::Ip6) {
            return None; // Which header it is depends on the packet.
        }
        [super::End::Source, super::End::Destination]
            .into_iter()
            .find(|&end| {
                matches!(Self::address(family, end), Self::Payload { offset: first, len: whole, .. }
                if first == offset && (1..=whole).contains(&len))
            })
    }
}
