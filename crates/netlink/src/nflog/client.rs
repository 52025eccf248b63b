//! A reader of NFLOG groups.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Instant;

use nix::errno::Errno;

use super::error::NflogError;
use super::message::{self, LoggedPacket};
use crate::flags::{ACK, REQUEST};
use crate::{
    Family, Header, Message, Socket, Transport, TransportError, Waited, ack, attribute, messages,
    nfnetlink,
};

/// `NFNL_SUBSYS_ULOG`.
const SUBSYSTEM: u8 = 4;
/// `NFULNL_MSG_PACKET`.
const PACKET: u16 = nfnetlink::kind(SUBSYSTEM, 0);
/// `NFULNL_MSG_CONFIG`.
const CONFIG: u16 = nfnetlink::kind(SUBSYSTEM, 1);

/// `NFULA_CFG_CMD`, with `NFULNL_CFG_CMD_BIND` and `NFULNL_CFG_CMD_UNBIND`.
const COMMAND: u16 = 1;
const BIND: u8 = 1;
const UNBIND: u8 = 2;
/// `NFULA_CFG_MODE`: how many bytes of each packet, in four bytes, `NFULNL_COPY_PACKET`, and a zero.
const MODE: u16 = 2;
/// Enough for the headers of IPv6 with a few extension headers.
const BYTES: u8 = 128;
const COPY_PACKET: u8 = 2;
/// `NFULA_CFG_TIMEOUT`: how long the kernel gathers packets, in hundredths of a second.
const TIMEOUT: u16 = 4;
const SOON: u32 = 10;

/// A reader of NFLOG groups in one network namespace.
pub struct Nflog {
    socket: Socket,
    groups: BTreeSet<u16>,
    /// Packets that were logged while the kernel replied to requests.
    early: Vec<LoggedPacket>,
    sequence: u32,
}

/// What was logged since the last look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heard {
    /// The packets.
    pub packets: Vec<LoggedPacket>,
    /// Whether more were logged than the socket's buffer holds: some are lost.
    pub is_overrun: bool,
}

impl Nflog {
    /// A reader of no group yet in the network namespace of this file, or in the caller's.
    ///
    /// # Errors
    /// If the kernel refuses a socket, or there is no such namespace.
    pub fn open(namespace: Option<&Path>) -> Result<Self, NflogError> {
        Ok(Self {
            socket: Socket::open_in(namespace)?,
            groups: BTreeSet::new(),
            early: Vec::new(),
            sequence: 0,
        })
    }

    /// Reads exactly these groups from now on.
    ///
    /// # Errors
    /// If the kernel refuses one of them: another program may read it. The others are read all the same.
    pub fn read_groups(&mut self, groups: &BTreeSet<u16>) -> Result<(), NflogError> {
        let mut failed = Ok(());
        for group in &self.groups - groups {
            // Nothing is logged there any more, and a refusal changes nothing.
            if let Err(error) = self.configure(group, |buffer| command(buffer, UNBIND)) {
                log::debug!("NFLOG group {group} stays open: {error}");
            }
            self.groups.remove(&group);
        }
        for &group in groups {
            if self.groups.contains(&group) {
                continue;
            }
            let bound = self.configure(group, |buffer| {
                command(buffer, BIND);
                attribute::bytes(buffer, MODE, &[0, 0, 0, BYTES, COPY_PACKET, 0]);
                attribute::u32(buffer, TIMEOUT, SOON);
            });
            match bound {
                Ok(()) => drop(self.groups.insert(group)),
                Err(error) => failed = failed.and(Err(error)),
            }
        }
        failed
    }

    /// Waits until a packet was logged, `wake` has something to read, or this moment comes.
    ///
    /// # Errors
    /// If waiting fails.
    pub fn wait(
        &self,
        wake: BorrowedFd<'_>,
        until: Option<Instant>,
    ) -> Result<Waited, TransportError> {
        match self.early.is_empty() {
            true => self.socket.wait(wake, until),
            false => Ok(Waited::Heard),
        }
    }

    /// All packets that were logged since the last call. It does not block.
    ///
    /// # Errors
    /// If the socket cannot be read.
    pub fn heard(&mut self) -> Result<Heard, TransportError> {
        let mut heard = Heard {
            packets: std::mem::take(&mut self.early),
            is_overrun: false,
        };
        loop {
            match self.socket.heard() {
                Ok(None) => return Ok(heard),
                Ok(Some(datagram)) => take(datagram, &mut heard.packets),
                Err(TransportError::Overrun) => heard.is_overrun = true,
                Err(TransportError::Receive(error))
                    if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn configure(
        &mut self,
        group: u16,
        attributes: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), NflogError> {
        self.sequence += 1;
        let header = Header::request(CONFIG, REQUEST | ACK, self.sequence);
        let (mut request, mut replies) = (Vec::new(), Vec::new());
        nfnetlink::put(&mut request, header, (Family::Other(0), group), attributes);
        self.socket.exchange(&request, &mut replies)?;
        take(&replies, &mut self.early);
        for message in messages(&replies) {
            let message = message?;
            if message.header.kind != Header::ERROR {
                continue;
            }
            let ack = ack(&message)?;
            if ack.original.sequence == self.sequence {
                return match ack.error {
                    0 => Ok(()),
                    error => Err(NflogError::Refused {
                        group,
                        errno: Errno::from_raw(error),
                    }),
                };
            }
        }
        Err(NflogError::Truncated(group))
    }
}

impl AsFd for Nflog {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn command(buffer: &mut Vec<u8>, command: u8) {
    attribute::u8(buffer, COMMAND, command);
}

/// The logged packets of a datagram.
fn take(datagram: &[u8], packets: &mut Vec<LoggedPacket>) {
    let is_packet = |message: &Message<'_>| message.header.kind == PACKET;
    for message in messages(datagram).flatten().filter(is_packet) {
        match message::decode(&message) {
            Ok(packet) => packets.push(packet),
            Err(error) => log::debug!("a message about a logged packet: {error}"),
        }
    }
}
