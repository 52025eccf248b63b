//! What only other programs put into rules, in words.

use crate::object::{Expression, Rule};
use crate::wire::foreign;

impl Rule {
    /// The rule's comment: the one of nf_tables, or one that programs of iptables put into it.
    #[must_use]
    pub fn comment(&self) -> Option<&str> {
        let of_iptables = || {
            let mut expressions = self.expressions.iter();
            expressions.find_map(|expression| match expression {
                Expression::Unknown { name, data } if name == "match" => foreign::comment(data),
                _ => None,
            })
        };
        self.userdata.text().or_else(of_iptables)
    }
}
