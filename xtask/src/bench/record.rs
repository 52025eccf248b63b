//! What is said between us and a kernel, to be said again without one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use palisade::{Layout, Network, Placement};
use palisade_core::backend::{Addition, Backend, Change};
use palisade_netlink::{Socket, Transport, TransportError, nfnetlink};
use palisade_nft::backend::Nftables;
use palisade_nft::backend::Settings;
use palisade_nft::layout::TRANSACTION;
use palisade_nft::parts::wire::{Kind, Message, batch_begin, element, messages};

use super::namespace::Namespace;

/// The batch for new networks, and what a kernel without any answered while it was made.
#[derive(Debug)]
pub(super) struct Recording {
    answers: Vec<Vec<u8>>,
    pub(super) batch: Vec<u8>,
}

impl Recording {
    pub(super) fn new(networks: &[Network], layout: Layout) -> Result<Self, String> {
        let namespace = Namespace::new()?;
        let answers = Arc::new(Mutex::new(Vec::new()));
        let recorder = Box::new(Recorder {
            socket: namespace.socket()?,
            answers: Arc::clone(&answers),
        });
        let batch = plan(networks, layout, recorder)?;
        Ok(Self {
            answers: std::mem::take(&mut *lock(&answers)),
            batch,
        })
    }

    /// A kernel that answers the same again.
    pub(super) fn answers(&self) -> Answers {
        Answers(self.answers.clone().into_iter())
    }
}

/// The bytes of the batch that starts these networks.
pub(super) fn plan(
    networks: &[Network],
    layout: Layout,
    transport: Box<dyn Transport>,
) -> Result<Vec<u8>, String> {
    let placement = Placement::from(&Settings {
        layout,
        ..Settings::default()
    });
    let addition = |(order, network)| Addition {
        network,
        placement: &placement,
        order,
    };
    let change = Change {
        add: (0..).zip(networks).map(addition).collect(),
        ..Change::default()
    };
    let plan = Nftables::new(transport).plan(&change);
    let steps = plan.map_err(|error| error.to_string())?.steps;
    match <[_; 1]>::try_from(steps) {
        Ok([step]) => Ok(step.payload),
        Err(steps) => Err(format!("a plan of {} steps, not one batch", steps.len())),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A socket whose answers are written down.
struct Recorder {
    socket: Socket,
    answers: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Transport for Recorder {
    fn exchange(&mut self, request: &[u8], replies: &mut Vec<u8>) -> Result<(), TransportError> {
        let before = replies.len();
        self.socket.exchange(request, replies)?;
        let answer = replies.get(before..).unwrap_or_default().to_vec();
        lock(&self.answers).push(answer);
        Ok(())
    }
}

/// The batches that were sent, of which each is asked for once.
#[derive(Debug, Clone, Default)]
pub(super) struct Batches(Arc<Mutex<Vec<Vec<u8>>>>);

impl Batches {
    /// A socket whose batches are kept.
    pub(super) fn of(&self, socket: Socket) -> impl Transport + use<> {
        Keeper {
            socket,
            batches: self.clone(),
        }
    }
}

struct Keeper {
    socket: Socket,
    batches: Batches,
}

impl Transport for Keeper {
    fn exchange(&mut self, request: &[u8], replies: &mut Vec<u8>) -> Result<(), TransportError> {
        if messages(request)
            .flatten()
            .any(|message| message.header.kind == nfnetlink::BATCH_BEGIN)
        {
            lock(&self.batches.0).push(request.to_vec());
        }
        self.socket.exchange(request, replies)
    }
}

/// The one batch that was sent since the last time, for any generation; and without the markers of
/// others that it sweeps by their names, which are there once.
pub(super) fn said(batches: &Batches) -> Result<Vec<u8>, String> {
    let sent = std::mem::take(&mut *lock(&batches.0));
    let [batch] = sent.as_slice() else {
        return Err(format!("a change of {} batches, not one", sent.len()));
    };
    let mut free = Vec::with_capacity(batch.len());
    batch_begin(&mut free, 0, None);
    for message in messages(batch).flatten().skip(1) {
        if !sweeps(&message) {
            free.extend(message.bytes);
        }
    }
    Ok(free)
}

fn sweeps(message: &Message<'_>) -> bool {
    let deleted = || element::decode(message.family, message.body);
    message.kind == Some(Kind::DEL_ELEMENT)
        && deleted().is_ok_and(|deleted| deleted.set == TRANSACTION)
}

/// Asks what was asked before, and does not read the answers.
pub(super) struct Questions {
    socket: Socket,
    questions: Vec<Vec<u8>>,
    answers: Vec<u8>,
}

impl Questions {
    /// Those that `read` asks.
    pub(super) fn of(
        namespace: &Namespace,
        read: impl FnOnce(&mut dyn Transport) -> Result<(), String>,
    ) -> Result<Self, String> {
        let mut noted = Noted {
            socket: namespace.socket()?,
            questions: Vec::new(),
        };
        read(&mut noted)?;
        Ok(Self {
            socket: noted.socket,
            questions: noted.questions,
            answers: Vec::new(),
        })
    }

    pub(super) fn ask(&mut self) -> Result<(), String> {
        for question in &self.questions {
            self.answers.clear();
            self.socket
                .exchange(question, &mut self.answers)
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

struct Noted {
    socket: Socket,
    questions: Vec<Vec<u8>>,
}

impl Transport for Noted {
    fn exchange(&mut self, request: &[u8], replies: &mut Vec<u8>) -> Result<(), TransportError> {
        self.questions.push(request.to_vec());
        self.socket.exchange(request, replies)
    }
}

/// Answers what was answered before, in the same order.
pub(super) struct Answers(std::vec::IntoIter<Vec<u8>>);

impl Transport for Answers {
    fn exchange(&mut self, _: &[u8], replies: &mut Vec<u8>) -> Result<(), TransportError> {
        // Without an answer the reader says that it breaks off.
        replies.extend(self.0.next().unwrap_or_default());
        Ok(())
    }
}
