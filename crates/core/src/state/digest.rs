//! Digests of networks: whether a desired network is the one that runs is seen without opening
//! its record.

use std::hash::{BuildHasher, Hash, RandomState};

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::network::Network;

/// What the digests of one index are made with. Who does not know it, which takes the right to read
/// the state, cannot think of two networks with one digest.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Secret(u64, u64);

/// 128 bits that stand for a network: two of them are the same for one network only. Another build
/// may make another one of the same network, so that different ones say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest([u8; 16]);

impl Digest {
    pub(super) fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    pub(super) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl Secret {
    pub(super) fn digest(self, network: &Network) -> Digest {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        network.hash(&mut hasher);
        Digest(hasher.finish128().as_bytes())
    }
}

impl Default for Secret {
    /// A new one: the standard library asks the kernel for what it begins with.
    fn default() -> Self {
        let random = || RandomState::new().hash_one(0_u8);
        Self(random(), random())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Description, Established, Forward, LogRefused, MssClamp, Mtu, Nat};

    #[test]
    fn whatever_differs_shows() {
        let plain = Description {
            subnets: vec!["10.0.0.0/24".parse().unwrap()],
            ..Description::new(
                "a".parse().unwrap(),
                Some("br0".parse().unwrap()),
                Forward::Nat(Nat::default()),
            )
        };
        let mut others = vec![plain.clone(); 14];
        others[0].name = "b".parse().unwrap();
        others[1].bridge = Some("br1".parse().unwrap());
        others[2].zone = Some("a".parse().unwrap());
        others[3].forward = Forward::Isolated;
        others[4].subnets[0] = "10.0.0.0/25".parse().unwrap();
        others[5].ipv6 = true;
        others[6].dhcp = true;
        others[7].tftp = true;
        others[8].isolated_ports = true;
        others[9].mss_clamp = Some(MssClamp::RouteMtu);
        others[10].mtu = Mtu::new(1400).ok();
        others[11].forwards = vec!["tcp 80 -> 10.0.0.1:80".parse().unwrap()];
        others[12].log = Some(LogRefused::default());
        others[13].forward = Forward::Nat(Nat {
            between_networks: false,
            ..Nat::default()
        });
        let secret = Secret::default();
        let digest = |of: &Description| secret.digest(&Network::new(of.clone()).unwrap());
        let mut digests = vec![digest(&plain)];
        assert_eq!(digest(&plain), digests[0]);
        for other in &others {
            let digest = digest(other);
            assert!(!digests.contains(&digest), "{other:?}");
            digests.push(digest);
        }
        let plain = Network::new(plain).unwrap();
        let first = plain.clone().with_established(Established::First);
        assert_ne!(secret.digest(&first), digests[0]);
        assert_ne!(Secret::default().digest(&plain), digests[0]);
    }
}
