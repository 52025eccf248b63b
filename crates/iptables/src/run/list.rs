//! One chain, where a table as a whole is not printed.

use super::CommandRunner;
use super::restore::{RestoreError, answer};
use crate::text::{Rule, parse_listed};

/// The rules of a chain that stands, as `program` lists them; none if it has no words for them.
pub(crate) fn list(
    runner: &mut dyn CommandRunner,
    program: &str,
    table: &str,
    chain: &str,
) -> Result<Option<Vec<Rule>>, RestoreError> {
    let arguments = ["-t", table, "-v", "-S", chain];
    let answer = answer(runner, program, &arguments, "")?;
    if answer.code != Some(0) {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&answer.stdout);
    let rules = parse_listed(&text).map_err(|source| RestoreError::Unreadable {
        program: program.to_owned(),
        source,
    })?;
    Ok(Some(rules))
}
