//! Text as it stands in a file.

use std::borrow::Cow;

use serde::Deserialize;

/// A text as it stands in a file, copied only where it is escaped there.
#[derive(Deserialize)]
pub(super) struct Text<'t>(#[serde(borrow)] pub(super) Cow<'t, str>);
