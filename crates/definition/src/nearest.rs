//! Slips of the pen.

/// The word that `text` probably stands for: one letter off, or two in a longer word. Case does
/// not count, two letters in the wrong order count once.
pub(super) fn nearest(text: &str, words: &[&'static str]) -> Option<&'static str> {
    words
        .iter()
        .filter(|word| word.len().abs_diff(text.len()) <= 2)
        .map(|&word| (distance(text, word), word))
        .filter(|&(distance, word)| distance <= if word.len() > 4 { 2 } else { 1 })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, word)| word)
}

fn distance(a: &str, b: &str) -> usize {
    strsim::osa_distance(&a.to_lowercase(), &b.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slips_are_recognised() {
        let words = ["name", "mode", "bridge", "subnets", "ip"];
        assert_eq!(nearest("mdoe", &words), Some("mode"));
        assert_eq!(nearest("Bridge", &words), Some("bridge"));
        assert_eq!(nearest("subnet", &words), Some("subnets"));
        assert_eq!(nearest("ips", &words), Some("ip"));
        assert_eq!(nearest("mac", &words), None);
        assert_eq!(nearest("dns", &words), None);
        assert_eq!(nearest("title", &words), None);
    }
}
