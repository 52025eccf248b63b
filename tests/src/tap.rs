//! Tap devices: the network card of a guest, whose frames a test reads.
//!
//! The one place with `unsafe` in this crate: two ioctls that nix does not have.
#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::libc;

use crate::Namespace;

/// How long a frame may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// `struct virtio_net_hdr`, and the flag in its first byte that says that the checksum is to be
/// completed by the device.
const VIRTIO_HEADER: usize = 10;
const NEEDS_CHECKSUM: u8 = 1;
/// `TUN_F_CSUM`.
const CHECKSUM: libc::c_int = 1;

nix::ioctl_write_ptr_bad!(
    set_interface,
    nix::request_code_write!(b'T', 202, size_of::<libc::c_int>()),
    libc::ifreq
);
nix::ioctl_write_int_bad!(
    set_offload,
    nix::request_code_write!(b'T', 208, size_of::<libc::c_uint>())
);

/// A tap device, which ends with this.
#[derive(Debug)]
pub struct Tap {
    file: File,
    has_offload: bool,
}

/// A UDP datagram over IPv4, as a guest's device gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Whether the device is to complete the checksum.
    pub is_left_to_device: bool,
    /// Whether the checksum in the frame is right.
    pub is_right: bool,
}

impl Tap {
    /// A device of this name; with offload it leaves checksums to its guest, as virtio does, and
    /// without it gets them completed, as an e1000.
    #[must_use]
    pub fn new(namespace: &Namespace, name: &str, has_offload: bool) -> Self {
        let file = namespace.inside(|| {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .custom_flags(libc::O_NONBLOCK)
                .open("/dev/net/tun")
                .expect("open /dev/net/tun");
            let mut flags = libc::IFF_TAP | libc::IFF_NO_PI;
            if has_offload {
                flags |= libc::IFF_VNET_HDR;
            }
            let mut ifr_name = [0; libc::IFNAMSIZ];
            for (to, from) in ifr_name.iter_mut().zip(name.bytes()) {
                *to = from.cast_signed();
            }
            let request = libc::ifreq {
                ifr_name,
                ifr_ifru: libc::__c_anonymous_ifr_ifru {
                    ifru_flags: libc::c_short::try_from(flags).expect("flags"),
                },
            };
            // SAFETY: the descriptor is open, and the request outlives the call.
            unsafe { set_interface(file.as_raw_fd(), &raw const request) }.expect("make a tap");
            if has_offload {
                // SAFETY: the descriptor is open; the argument is a number.
                unsafe { set_offload(file.as_raw_fd(), CHECKSUM) }.expect("offload checksums");
            }
            file
        });
        Self { file, has_offload }
    }

    /// The next datagram to this port.
    #[track_caller]
    pub fn next_to(&mut self, port: u16) -> Frame {
        let until = Instant::now() + PATIENCE;
        let mut buffer = [0; 2048];
        loop {
            match self.file.read(&mut buffer) {
                Ok(len) => {
                    if let Some(frame) = self.read(&buffer[..len], port) {
                        return frame;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    assert!(Instant::now() < until, "no datagram to port {port}");
                    sleep(Duration::from_millis(5));
                }
                Err(error) => panic!("cannot read a frame: {error}"),
            }
        }
    }

    fn read(&self, bytes: &[u8], port: u16) -> Option<Frame> {
        let (virtio, frame) = bytes.split_at(if self.has_offload { VIRTIO_HEADER } else { 0 });
        let ip = frame.get(14..)?;
        let is_udp = frame[12..14] == [8, 0] && *ip.get(9)? == 17;
        let header = usize::from(ip[0] & 0xf) * 4;
        let length = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
        let udp = ip.get(header..length)?;
        if !is_udp || udp.get(2..4)? != port.to_be_bytes() {
            return None;
        }
        let length = u16::try_from(udp.len()).ok()?.to_be_bytes();
        let covered = [&ip[12..20], &[0, 17], &length, udp].concat();
        Some(Frame {
            is_left_to_device: virtio
                .first()
                .is_some_and(|flags| flags & NEEDS_CHECKSUM != 0),
            is_right: sum(&covered) == 0xffff,
        })
    }
}

/// The sum of which checksums are the complement.
fn sum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2);
    let mut sum: u32 = words
        .map(|word| u32::from(word[0]) << 8 | u32::from(word.get(1).copied().unwrap_or(0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}
