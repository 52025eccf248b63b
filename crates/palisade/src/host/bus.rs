//! Calls over D-Bus's system bus, each of which waits for its reply.
//!
//! zbus encodes and decodes; a connection of its own would bring an async runtime and a thread for
//! what takes six calls of methods whose arguments are strings.

use std::borrow::Cow;
use std::env;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::geteuid;
use palisade_core::words::in_words;
use palisade_core::{ErrorKind, Hint};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;
use zbus::wire::serialized::{Context, Data};
use zbus::wire::{Endian, ObjectPath, Signature, Type, Variant, to_bytes};

/// Where the system bus is unless the environment says otherwise.
const USUAL: &str = "/run/dbus/system_bus_socket";
const ENVIRONMENT: &str = "DBUS_SYSTEM_BUS_ADDRESS";
/// firewalld answers nothing while it reloads.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest message that is read.
const MAX_MESSAGE: usize = 1 << 20;

/// Types of messages.
const CALL: u8 = 1;
const RETURN: u8 = 2;
const ERROR: u8 = 3;
/// The flag by which a call starts no service.
const NO_START: u8 = 2;
const PROTOCOL: u8 = 1;

/// Fields of a message's header.
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const REPLY_TO: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;
/// The header before the fields, with their length: byte order, type, flags, version, length of the
/// body, number of the message.
const FIXED: usize = 16;

type Head<Value> = (u8, u8, u8, u8, u32, u32, Vec<(u8, Value)>);

/// The value of a field that is written.
enum Value<'m> {
    Plain(Variant<'m>),
    /// The types of so many strings, one after another: zbus would put them in parentheses, as those
    /// of one value.
    Strings(usize),
}

impl Type for Value<'_> {
    const SIGNATURE: &'static Signature = &Signature::Variant;
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(value) => value.serialize(serializer),
            Self::Strings(count) => {
                let mut variant = serializer.serialize_struct("Variant", 2)?;
                variant.serialize_field("signature", &Signature::Signature)?;
                variant.serialize_field("value", &"s".repeat(*count))?;
                variant.end()
            }
        }
    }
}

/// Whose methods are called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) destination: &'static str,
    pub(super) path: &'static str,
    pub(super) interface: &'static str,
}

/// A connection to the system bus.
pub(super) struct Bus {
    stream: UnixStream,
    /// The number of the last message.
    serial: u32,
}

/// The arguments of a reply.
pub(super) struct Reply {
    body: Data<'static, 'static>,
}

/// Why a call failed.
#[derive(Debug, Error)]
pub(super) enum BusError {
    #[error("cannot connect to D-Bus at {}: {}", .path.display(), in_words(.source))]
    Connect { path: PathBuf, source: io::Error },
    #[error("the connection to D-Bus broke: {}", in_words(.0))]
    Broken(io::Error),
    #[error("D-Bus does not accept this user")]
    Unauthorized,
    #[error("{member}: {message}")]
    Refused {
        member: &'static str,
        message: String,
    },
    #[error("malformed message on D-Bus: {0}")]
    Malformed(String),
}

impl Hint for BusError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unauthorized => ErrorKind::Permission,
            Self::Refused { .. } => ErrorKind::Refused,
            Self::Connect { .. } | Self::Broken(_) | Self::Malformed(_) => ErrorKind::System,
        }
    }

    fn hint(&self) -> Cow<'_, str> {
        match self {
            Self::Connect { .. } | Self::Broken(_) => {
                "see whether dbus and firewalld run: systemctl status dbus firewalld".into()
            }
            Self::Unauthorized => "run it as root".into(),
            Self::Refused { .. } | Self::Malformed(_) => {
                "`journalctl -u firewalld` may say more".into()
            }
        }
    }
}

impl Bus {
    /// The system bus; none if there is no socket where it would be.
    pub(super) fn system() -> Result<Option<Self>, BusError> {
        let named = env::var(ENVIRONMENT).ok();
        let path = match &named {
            // Of several addresses, the first with a path is meant. Other kinds are on other hosts.
            Some(address) => address.split([';', ',']).find_map(|part| {
                let path = part.strip_prefix("unix:path=");
                path.or_else(|| part.strip_prefix("path="))
            }),
            None => Some(USUAL),
        };
        match path.map(Path::new).filter(|path| path.exists()) {
            Some(path) => Self::connect(path).map(Some),
            None => Ok(None),
        }
    }

    fn connect(path: &Path) -> Result<Self, BusError> {
        let open = || {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Ok(stream)
        };
        let stream = open().map_err(|source| BusError::Connect {
            path: path.to_owned(),
            source,
        })?;
        let mut bus = Self { stream, serial: 0 };
        bus.authenticate()?;
        let this = Target {
            destination: "org.freedesktop.DBus",
            path: "/org/freedesktop/DBus",
            interface: "org.freedesktop.DBus",
        };
        bus.call(this, "Hello", &[])?;
        Ok(bus)
    }

    /// The kernel tells the bus who we are.
    fn authenticate(&mut self) -> Result<(), BusError> {
        let uid = geteuid().to_string();
        let uid: String = uid.bytes().map(|digit| format!("{digit:02x}")).collect();
        self.send(format!("\0AUTH EXTERNAL {uid}\r\n").as_bytes())?;
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") && line.len() < 512 {
            line.extend(self.receive(1)?);
        }
        if !line.starts_with(b"OK ") {
            return Err(BusError::Unauthorized);
        }
        self.send(b"BEGIN\r\n")
    }

    /// Calls a method whose arguments are strings.
    pub(super) fn call(
        &mut self,
        target: Target,
        member: &'static str,
        arguments: &[&str],
    ) -> Result<Reply, BusError> {
        self.serial += 1;
        let message = encode(target, member, arguments, self.serial);
        self.send(&message.map_err(|error| BusError::Malformed(error.to_string()))?)?;
        loop {
            let (kind, reply_to, body) = self.message()?;
            match kind {
                _ if reply_to != Some(self.serial) => {} // A signal, or something else.
                RETURN => return Ok(Reply { body }),
                ERROR => {
                    let message = Reply { body }.read::<String>();
                    let message = message.unwrap_or_else(|_| "refused".to_owned());
                    return Err(BusError::Refused { member, message });
                }
                _ => {}
            }
        }
    }

    /// Reads a message: its type, the number of the call that it answers, and its body.
    fn message(&mut self) -> Result<(u8, Option<u32>, Data<'static, 'static>), BusError> {
        let mut bytes = self.receive(FIXED)?;
        let endian = match bytes[0] {
            b'l' => Endian::Little,
            b'B' => Endian::Big,
            other => return Err(BusError::Malformed(format!("byte order {other}"))),
        };
        let number = |at: usize| {
            let word = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
            let number = match endian {
                Endian::Little => u32::from_le_bytes(word),
                Endian::Big => u32::from_be_bytes(word),
            };
            usize::try_from(number).unwrap_or(usize::MAX)
        };
        let fields = number(12).checked_next_multiple_of(8);
        let (body, fields) = (number(4), fields.unwrap_or(usize::MAX));
        let rest = body.saturating_add(fields);
        if rest > MAX_MESSAGE {
            return Err(BusError::Malformed(format!("{rest} bytes")));
        }
        bytes.extend(self.receive(rest)?);
        let context = Context::new(endian, 0);
        let body = Data::new(bytes[FIXED + fields..].to_vec(), context);
        let head = Data::new(bytes, context);
        let (head, _): (Head<Variant<'_>>, usize) = head.deserialize().map_err(malformed)?;
        let reply_to = head.6.iter().find_map(|field| match field {
            (REPLY_TO, Variant::U32(number)) => Some(*number),
            _ => None,
        });
        Ok((head.1, reply_to, body))
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), BusError> {
        self.stream.write_all(bytes).map_err(BusError::Broken)
    }

    fn receive(&mut self, len: usize) -> Result<Vec<u8>, BusError> {
        let mut bytes = vec![0; len];
        self.stream
            .read_exact(&mut bytes)
            .map_err(BusError::Broken)?;
        Ok(bytes)
    }
}

impl Reply {
    /// Its first argument.
    pub(super) fn read<T: for<'d> Deserialize<'d> + Type>(&self) -> Result<T, BusError> {
        let (value, _) = self.body.deserialize().map_err(malformed)?;
        Ok(value)
    }
}

#[allow(clippy::needless_pass_by_value)] // For `map_err`.
fn malformed(error: zbus::wire::Error) -> BusError {
    BusError::Malformed(error.to_string())
}

fn encode(
    target: Target,
    member: &str,
    arguments: &[&str],
    serial: u32,
) -> Result<Vec<u8>, zbus::wire::Error> {
    let context = Context::new(Endian::Little, 0);
    let mut body = Vec::new();
    for argument in arguments {
        let at = Context::new(Endian::Little, body.len());
        body.extend_from_slice(to_bytes(at, argument)?.bytes());
    }
    let mut fields = Vec::from(
        [
            (PATH, ObjectPath::try_from(target.path)?.into()),
            (INTERFACE, target.interface.into()),
            (MEMBER, member.into()),
            (DESTINATION, target.destination.into()),
        ]
        .map(|(field, value): (u8, Variant<'_>)| (field, Value::Plain(value))),
    );
    if !arguments.is_empty() {
        fields.push((SIGNATURE, Value::Strings(arguments.len())));
    }
    let len = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let head: Head<Value<'_>> = (b'l', CALL, NO_START, PROTOCOL, len, serial, fields);
    let mut bytes = to_bytes(context, &head)?.bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend(body);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THERE: Target = Target {
        destination: "a.b",
        path: "/c",
        interface: "d.e",
    };

    /// As the specification has it, by hand: each field begins at a multiple of eight.
    #[test]
    fn a_call_of_two_strings() {
        let bytes = encode(THERE, "F", &["gh", "i"], 7).unwrap();
        let mut expected = b"l\x01\x02\x01\x0e\0\0\0\x07\0\0\0\x43\0\0\0".to_vec();
        for field in [
            &b"\x01\x01o\0\x02\0\0\0/c\0"[..],
            b"\x02\x01s\0\x03\0\0\0d.e\0",
            b"\x03\x01s\0\x01\0\0\0F\0",
            b"\x06\x01s\0\x03\0\0\0a.b\0",
            b"\x08\x01g\0\x02ss\0",
        ] {
            expected.resize(expected.len().next_multiple_of(8), 0);
            expected.extend(field);
        }
        let fields = u32::try_from(expected.len() - FIXED).unwrap();
        expected[12..16].copy_from_slice(&fields.to_le_bytes());
        expected.resize(expected.len().next_multiple_of(8), 0);
        expected.extend(b"\x02\0\0\0gh\0\0\x01\0\0\0i\0");
        assert_eq!(bytes, expected);
    }

    /// What a bus that is none sends ends in an error.
    #[test]
    fn nonsense_is_refused() {
        let call = encode(THERE, "F", &["gh", "i"], 7).unwrap();
        for at in 0..FIXED {
            for byte in [0, 1, 0x7f, 0xff] {
                let (mut there, here) = UnixStream::pair().unwrap();
                here.set_read_timeout(Some(Duration::from_millis(5)))
                    .unwrap();
                let mut bytes = call.clone();
                bytes[at] = byte;
                there.write_all(&bytes).unwrap();
                let mut bus = Bus {
                    stream: here,
                    serial: 0,
                };
                let _ = bus.message(); // Nothing panics, nothing hangs.
            }
        }
    }
}
