//! Something that is out of order.

use std::fmt;

/// A finding of one of the checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// The same as long as it is not resolved: without numbers of lines.
    pub(super) name: String,
    /// Lines of files.
    pub(super) places: Vec<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.name)?;
        let mut places = self.places.iter();
        places.try_for_each(|place| writeln!(f, "  {place}"))
    }
}
