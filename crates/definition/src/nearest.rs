//! Finds the word that a misspelled one probably means.

/// The word that `text` probably misspells: it differs in one letter, or in two if it is long. Case is
/// ignored, and two swapped letters count as one.
pub(crate) fn nearest(text: &str, words: &[&'static str]) -> Option<&'static str> {
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
    fn only_misspellings_are_recognized() {
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
