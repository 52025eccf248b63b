//! A running `palisade watch`, and the events that it reports.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use palisade_tests::Palisade;
use serde_json::Value;

use crate::site::Site;

/// A running `palisade watch`.
pub(crate) struct Watching {
    pub(crate) child: Child,
    pub(crate) events: Receiver<Value>,
    systemd: UnixDatagram,
    _folder: tempfile::TempDir,
}

impl Watching {
    pub(crate) fn start(site: &Site, palisade: &Palisade<'_>, options: &[&str]) -> Self {
        Self::start_at(Stdio::null(), site, palisade, options)
    }

    pub(crate) fn start_at(
        input: Stdio,
        site: &Site,
        palisade: &Palisade<'_>,
        options: &[&str],
    ) -> Self {
        let folder = tempfile::tempdir().expect("make a folder");
        let path = folder.path().join("notify");
        let systemd = UnixDatagram::bind(&path).expect("make a socket");
        systemd
            .set_read_timeout(Some(Duration::from_secs(15)))
            .expect("wait for a while");
        let mut command = palisade.command(["--format", "json", "watch"].iter().chain(options));
        command
            .env("NOTIFY_SOCKET", &path)
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut child = site
            .host
            .inside(|| command.spawn().expect("start the watch"));
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let (sender, events) = channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event = serde_json::from_str(&line).expect("each line is JSON");
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        let watching = Self {
            child,
            events,
            systemd,
            _folder: folder,
        };
        assert_eq!(watching.told_systemd(), "READY=1\n");
        watching
    }

    pub(crate) fn told_systemd(&self) -> String {
        let mut buffer = [0; 256];
        let length = self.systemd.recv(&mut buffer).expect("a word to systemd");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    /// The next event of this kind that `is_it` accepts.
    #[track_caller]
    pub(crate) fn next(&self, kind: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let mut until = self.until(kind, is_it);
        until.pop().expect("the event")
    }

    /// All events up to the next one of this kind that `is_it` accepts.
    #[track_caller]
    pub(crate) fn until(&self, kind: &str, is_it: impl Fn(&Value) -> bool) -> Vec<Value> {
        let deadline = Instant::now() + Duration::from_secs(15);
        let mut passed = Vec::new();
        while let Ok(event) = self.events.recv_timeout(deadline - Instant::now()) {
            assert!(event["time"].is_string(), "{event}");
            let is_last = event["event"] == kind && is_it(&event);
            passed.push(event);
            if is_last {
                return passed;
            }
        }
        panic!("no {kind} among {passed:#?}");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().expect("a process"));
        kill(pid, signal).expect("send a signal");
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Accepts every event.
pub(crate) fn any(_: &Value) -> bool {
    true
}
