//! How many packets are compared.

/// How many packets go through one ruleset.
pub(crate) const EACH: usize = 250;

/// Ten thousand packets, or as many as `PALISADE_LAB_PACKETS` says.
pub(crate) fn how_many() -> usize {
    let asked = std::env::var("PALISADE_LAB_PACKETS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(10_000)
}
