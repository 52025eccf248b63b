//! An outage: what is done to a host, what fails by it, and what `doctor` has to say.

use palisade_tests::Definition;

use super::site::{Route, Site, nat};
use crate::examined::{assert_healthy, examine};

/// What must pass on a healthy host.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Packets {
    Tcp(Route, u16),
    Udp(Route, u16),
}

impl Packets {
    fn pass(self, site: &Site) -> bool {
        match self {
            Self::Tcp(route, port) => site.tcp(route, port),
            Self::Udp(route, port) => site.udp(route, port),
        }
    }
}

/// A case from the field.
pub(crate) struct Outage<'a> {
    pub(crate) network: Definition,
    /// What is done to the host.
    pub(crate) cause: &'a dyn Fn(&Site),
    /// What does not pass then.
    pub(crate) lost: &'a [Packets],
    /// The checks that find it.
    pub(crate) found: &'a [&'a str],
    pub(crate) severity: &'a str,
    /// Words of the finding of the first check.
    pub(crate) words: &'a [&'a str],
}

impl Default for Outage<'_> {
    fn default() -> Self {
        Self {
            network: nat(),
            cause: &|_| (),
            lost: &[],
            found: &[],
            severity: "error",
            words: &[],
        }
    }
}

impl Outage<'_> {
    /// Shows the outage, and that the commands which are printed end it.
    #[track_caller]
    pub(crate) fn is_found_and_fixed(&self) {
        self.is_found_and_fixed_on(&|_| ());
    }

    /// The same on a host that has more than the usual.
    #[track_caller]
    pub(crate) fn is_found_and_fixed_on(&self, prepare: &dyn Fn(&Site)) {
        let site = Site::new();
        prepare(&site);
        let palisade = site.running(&self.network);
        assert_healthy(&site.host, &palisade);
        for packets in self.lost {
            assert!(packets.pass(&site), "{packets:?} before");
        }
        (self.cause)(&site);
        for packets in self.lost {
            assert!(!packets.pass(&site), "{packets:?}: nothing to find");
        }
        let examined = examine(&site.host, &palisade);
        examined.assert_only(self.found);
        let finding = examined.one(self.found[0], self.words);
        assert_eq!(finding["severity"], self.severity, "{finding:#}");
        assert_eq!(finding["networks"][0], self.network.name);
        examined.assert_mended();
        for packets in self.lost {
            assert!(packets.pass(&site), "{packets:?} behind the fix");
        }
    }

    /// Shows the outage, which no command ends.
    #[track_caller]
    pub(crate) fn is_found(&self) {
        let site = Site::new();
        let palisade = site.running(&self.network);
        (self.cause)(&site);
        for packets in self.lost {
            assert!(!packets.pass(&site), "{packets:?}: nothing to find");
        }
        let examined = examine(&site.host, &palisade);
        examined.assert_only(self.found);
        let finding = examined.one(self.found[0], self.words);
        assert_eq!(finding["severity"], self.severity, "{finding:#}");
        assert!(examined.mends().is_empty(), "{finding:#}");
        assert!(finding["fix"]["advice"].is_string(), "{finding:#}");
    }
}
