//! Spans of time, in seconds.

/// No command waits longer: a day.
const MAX: u64 = 86_400;

/// A number of seconds, of any size, that is none too many.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(seconds @ 1..=MAX) => Ok(seconds),
        _ if is_number => Err(format!("{text} is not in 1..={MAX}")),
        _ => Err("it is no number of seconds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_are_told_the_largest() {
        assert_eq!(seconds("86400"), Ok(MAX));
        let many = "99999999999999999999";
        for text in ["0", "86401", many] {
            assert_eq!(seconds(text), Err(format!("{text} is not in 1..=86400")));
        }
        for text in ["", "x", "-1", "1.5"] {
            assert_eq!(seconds(text), Err("it is no number of seconds".to_owned()));
        }
    }
}
