//! Another kernel than the machine's: it boots in a virtual machine without KVM, and runs the tests of
//! what palisade does on the host, with the kernel's real action.
//!
//! The machine has no disk: kernel, modules, programs with their libraries and the tests are one
//! archive that the kernel unpacks into memory.

mod archive;
mod packages;

use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use crate::program::{cargo, find, is_root, program, run, target};
use archive::Archive;

/// Without KVM, on a busy machine, it takes as long as this.
const PATIENCE: Duration = Duration::from_secs(20 * 60);
/// The kernel's command line. Without `no_timer_check` a boot may panic where time passes unevenly.
const COMMAND_LINE: &str = "console=ttyS0 panic=-1 no_timer_check mitigations=off nokaslr quiet";
/// What the machine's first program prints before the exit code of the tests.
const RESULT: &str = "RESULT ";
/// The tests that run, and those of them that need a daemon.
const TESTS: &str = "host";
const WITHOUT: &str = "bridges are in their zones";

pub(crate) fn main(args: &[&str]) -> ExitCode {
    let done = match args {
        [] => check(),
        _ => Err("usage: cargo xtask kernels".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("kernels: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> Result<(), String> {
    if !is_root() {
        return Err("needs root, to install qemu".to_owned());
    }
    let folder = target().join("kernels");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let kernel = packages::fetch(&folder)?;
    run(cargo().args(["build", "--locked", "-p", "palisade-cli"]))?;
    let tests = built_tests()?;
    let archive = Archive::new(&folder.join("root"), &kernel)?;
    archive.program(&target().join("debug/palisade"), "bin/palisade")?;
    archive.program(&tests, "bin/tests")?;
    let initramfs = archive.pack(&init(), &folder.join("initramfs.gz"))?;
    let log = folder.join("log");
    boot(&kernel.image(), &initramfs, &log)?;
    let said = std::fs::read(&log).map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&said);
    print!("{said}");
    match said
        .lines()
        .find_map(|line| line.trim().strip_prefix(RESULT))
    {
        Some("0") => Ok(()),
        Some(code) => Err(format!("on {} tests fail with {code}", kernel.version)),
        None => Err(format!("{} did not come to an end", kernel.version)),
    }
}

/// The tests' program, as cargo names it.
fn built_tests() -> Result<std::path::PathBuf, String> {
    let mut build = cargo();
    build.args([
        "test",
        "--locked",
        "--no-run",
        "-p",
        "palisade-tests",
        "--test",
        TESTS,
    ]);
    let output = build.stderr(Stdio::piped()).output();
    let output = output.map_err(|error| format!("cannot run cargo: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    // `Executable host/main.rs (target/debug/deps/host-0123)`
    let path = said.lines().find_map(|line| {
        let (_, path) = line.trim().strip_prefix("Executable ")?.split_once('(')?;
        path.strip_suffix(')')
    });
    let path = path.ok_or_else(|| format!("the tests were not built: {said}"))?;
    Ok(crate::program::workspace().join(path))
}

/// The machine's first program.
fn init() -> String {
    format!(
        "#!/bin/busybox sh\n\
         /bin/busybox --install -s /bin\n\
         export PATH=/usr/sbin:/usr/bin:/sbin:/bin PALISADE_BIN=/bin/palisade CI=1\n\
         mkdir -p /sbin && ln -sf /bin/busybox /sbin/modprobe\n\
         mount -t proc proc /proc\n\
         mount -t sysfs sys /sys\n\
         mount -t devtmpfs dev /dev\n\
         mkdir -p /dev/shm && mount -t tmpfs shm /dev/shm\n\
         mount -t tmpfs -o mode=755 run /run\n\
         mount -t tmpfs tmp /tmp\n\
         depmod\n\
         modprobe tun\n\
         modprobe br_netfilter\n\
         echo \"booted $(uname -r)\"\n\
         tests --nocapture --test-threads 1 --skip '{WITHOUT}'\n\
         echo \"{RESULT}$?\"\n\
         poweroff -f\n"
    )
}

fn boot(image: &Path, initramfs: &Path, log: &Path) -> Result<(), String> {
    let qemu = find("qemu-system-x86_64").ok_or("no qemu-system-x86_64")?;
    let output = std::fs::File::create(log).map_err(|error| error.to_string())?;
    let mut machine = program("timeout");
    machine.arg(PATIENCE.as_secs().to_string()).arg(qemu);
    machine.args(["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2"]);
    machine.args(["-m", "1024", "-nographic", "-no-reboot", "-nic", "none"]);
    machine
        .arg("-kernel")
        .arg(image)
        .arg("-initrd")
        .arg(initramfs);
    machine.args(["-append", COMMAND_LINE]).stdout(output);
    run(&mut machine)
}
