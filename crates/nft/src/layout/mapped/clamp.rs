//! Segment sizes in the names of sets.

use palisade_core::network::{MssClamp, SegmentSize};

/// Part of names: what tells a segment size from others.
pub(super) fn name(clamp: MssClamp) -> String {
    match clamp {
        MssClamp::RouteMtu => "mtu".to_owned(),
        MssClamp::Size(size) => size.bytes().to_string(),
    }
}

/// The inverse of [`name`].
pub(super) fn from_name(name: &str) -> Option<MssClamp> {
    if name == "mtu" {
        return Some(MssClamp::RouteMtu);
    }
    let size = SegmentSize::new(name.parse().ok()?).ok()?;
    Some(MssClamp::Size(size))
}
