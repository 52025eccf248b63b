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
