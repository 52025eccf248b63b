//! The checksum of DHCP answers: a filter on what the bridge sends recomputes it.
//!
//! The host leaves checksums to a guest's device, and a virtio device hands them to the guest
//! unfinished. Old DHCP clients and those of BSDs refuse that. iptables has the target CHECKSUM for
//! it; nftables has no counterpart, but traffic control has.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use palisade_core::host_action::{
    Effect, HostAction, HostActionError, HostActionId, HostActionKind, Need,
};
use palisade_core::{ErrorKind, Hint};
use palisade_netlink::rtnetlink::{ChecksumFilter, Filter, Point, TcError, TrafficControl};
use palisade_nft::backend::ID as NFTABLES;
use thiserror::Error;

const ID: HostActionId = HostActionId::new("dhcp-checksum");
/// The setting that says whose the queueing discipline is: deleted with the filter only if palisade
/// added it and nothing else hangs from it.
const CLSACT: &str = "clsact";
const ADDED: &str = "added";
const FOUND: &str = "found";
/// To DHCP clients.
const FILTER: ChecksumFilter = ChecksumFilter { port: 68 };
/// For so long a kernel that cannot do it is not asked again.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// Recomputes the checksums of DHCP answers of networks whose backend cannot.
pub(super) struct DhcpChecksum {
    namespace: Option<PathBuf>,
    tc: Option<TrafficControl>,
    /// When the kernel last said that it cannot.
    lacking_since: Option<Instant>,
}

impl DhcpChecksum {
    pub(super) fn new(namespace: Option<&Path>) -> Self {
        Self {
            namespace: namespace.map(Path::to_owned),
            tc: None,
            lacking_since: None,
        }
    }

    /// Traffic control, opened when it is first needed.
    fn tc(&mut self) -> Result<&mut TrafficControl, TcError> {
        match &mut self.tc {
            Some(tc) => Ok(tc),
            closed => Ok(closed.insert(TrafficControl::open(self.namespace.clone())?)),
        }
    }

    /// Fails if the kernel cannot recompute checksums.
    fn check_kernel(&mut self) -> Result<(), ChecksumError> {
        let is_fresh = |since: Instant| since.elapsed() < ASK_AGAIN;
        if self.lacking_since.is_some_and(is_fresh) {
            return Err(ChecksumError::Lacking);
        }
        let is_able = self.tc()?.can_recompute()?;
        self.lacking_since = (!is_able).then(Instant::now);
        is_able.then_some(()).ok_or(ChecksumError::Lacking)
    }

    /// The action as it would be recorded now.
    fn prepared(
        &mut self,
        action: HostAction,
        recorded: Option<&HostAction>,
    ) -> Result<HostAction, ChecksumError> {
        self.check_kernel()?;
        let recorded = recorded.filter(|recorded| recorded.omitted.is_none());
        let tc = self.tc()?;
        let Some(link) = tc.link(action.bridge.as_str())? else {
            // Whose `clsact` will be is seen when the bridge comes.
            return Ok(recorded.cloned().unwrap_or(action));
        };
        let was_added = recorded.is_some_and(|it| it.setting(CLSACT) == Some(ADDED));
        // Without our filter, the one that palisade added went with the bridge, and this is another.
        let is_added =
            !tc.has_clsact(link)? || was_added && is_there(&tc.filters(link, Point::Egress)?);
        Ok(action.with(CLSACT, if is_added { ADDED } else { FOUND }))
    }

    fn install(&mut self, action: &HostAction) -> Result<(), TcError> {
        let tc = self.tc()?;
        let Some(link) = tc.link(action.bridge.as_str())? else {
            return Ok(());
        };
        let is_new = !tc.has_clsact(link)?;
        if is_new {
            tc.add_clsact(link)?;
        }
        let filters = tc.filters(link, Point::Egress)?;
        if is_there(&filters) {
            return Ok(());
        }
        // What bears palisade's mark and is another was changed.
        for filter in filters.iter().filter(|filter| filter.is_marked) {
            tc.delete_filter(link, Point::Egress, filter)?;
        }
        let added = tc.add_filter(link, FILTER);
        if added.is_err() && is_new {
            tc.delete_clsact(link)?;
        }
        added
    }

    fn uninstall(&mut self, action: &HostAction) -> Result<(), TcError> {
        let tc = self.tc()?;
        let Some(link) = tc.link(action.bridge.as_str())? else {
            return Ok(());
        };
        match tc.has_clsact(link) {
            Ok(true) => {}
            Ok(false) | Err(TcError::Occupied) => return Ok(()),
            Err(error) => return Err(error),
        }
        for filter in tc.filters(link, Point::Egress)? {
            if filter.is_marked {
                tc.delete_filter(link, Point::Egress, &filter)?;
            }
        }
        if action.setting(CLSACT) == Some(ADDED) {
            for point in Point::ALL {
                if !tc.filters(link, point)?.is_empty() {
                    return Ok(());
                }
            }
            tc.delete_clsact(link)?;
        }
        Ok(())
    }

    fn look(&mut self, action: &HostAction) -> Result<Effect, TcError> {
        let tc = self.tc()?;
        let Some(link) = tc.link(action.bridge.as_str())? else {
            return Ok(Effect::Moot);
        };
        let has_place = match tc.has_clsact(link) {
            Err(TcError::Occupied) => false,
            has => has?,
        };
        if has_place && is_there(&tc.filters(link, Point::Egress)?) {
            Ok(Effect::Present)
        } else {
            Ok(Effect::Missing)
        }
    }
}

fn is_there(filters: &[Filter]) -> bool {
    let is_ours = |filter: &Filter| filter.is_marked && filter.checksum == Some(FILTER);
    filters.iter().any(is_ours)
}

impl HostActionKind for DhcpChecksum {
    fn id(&self) -> HostActionId {
        ID
    }

    fn is_optional(&self) -> bool {
        true
    }

    fn needed(&mut self, need: Need<'_>) -> Result<Option<HostAction>, HostActionError> {
        let Some(bridge) = need.network.bridge() else {
            return Ok(None);
        };
        if !need.network.dhcp() || need.placement.backend != NFTABLES {
            return Ok(None);
        }
        let action = HostAction::new(ID, bridge.clone());
        let prepared = self.prepared(action.clone(), need.recorded);
        Ok(Some(prepared.unwrap_or_else(|error| {
            action.omitted(format!("{error} ({})", error.hint()))
        })))
    }

    fn effect(&mut self, action: &HostAction) -> Result<Effect, HostActionError> {
        self.look(action).map_err(HostActionError::new)
    }

    fn apply(&mut self, action: &HostAction) -> Result<(), HostActionError> {
        self.install(action).map_err(HostActionError::new)
    }

    fn undo(&mut self, action: &HostAction) -> Result<(), HostActionError> {
        self.uninstall(action).map_err(HostActionError::new)
    }

    fn words(&self, action: &HostAction) -> String {
        format!(
            "checksums of DHCP answers recomputed on `{}`",
            action.bridge
        )
    }

    fn line(&self, action: &HostAction) -> String {
        format!(
            "tc filter dev {} egress protocol ip flower ip_proto udp dst_port {} action csum ip4h \
             and udp continue",
            action.bridge, FILTER.port
        )
    }
}

/// Why checksums are not recomputed.
#[derive(Debug, Error)]
enum ChecksumError {
    #[error("this kernel cannot recompute them, so that guests may refuse DHCP answers")]
    Lacking,
    #[error(transparent)]
    Tc(#[from] TcError),
}

impl Hint for ChecksumError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Lacking => ErrorKind::Unsupported,
            Self::Tc(error) => error.kind(),
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Lacking => {
                "load the module act_csum, then run `palisade repair`; only old clients, and those \
                 of BSDs, look at the checksum"
                    .into()
            }
            Self::Tc(error) => error.hint(),
        }
    }
}
