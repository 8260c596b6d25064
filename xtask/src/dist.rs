//! The program as it is given to people: static, so that it needs nothing of the machine it runs on.
//!
//! With musl in it there is no loader, no library and no version of one to fit; it runs in an image of certificates alone.
//! It also takes less memory than a program that maps its libraries (docs/benchmarks.md). Names are resolved by musl, as in
//! images of Alpine: search domains, `ndots` and answers by TCP as in glibc, nothing of nsswitch.conf.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::ci::step;

/// The compiler for the parts in C; `.cargo/config.toml` names it too.
const COMPILER: &str = "musl-gcc";

/// Builds the program for release, and says where it is.
pub(crate) fn build() -> Result<PathBuf> {
    if let Some(missing) = missing() {
        bail!("{missing}");
    }
    let target = target();
    let arguments = ["build", "--release", "--package", "weir", "--target", &target];
    step("build", &arguments, &[])?;
    Ok(crate::target_folder()?.join(target).join("release/weir"))
}

/// What stands in the way of building it here, and what to do about that.
pub(crate) fn missing() -> Option<String> {
    if !cfg!(target_os = "linux") {
        return Some("a static program is built on Linux alone".to_owned());
    }
    let target = target();
    let has_library = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", &target])
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|output| {
            let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
            output.status.success() && folder.is_dir()
        });
    if !has_library {
        return Some(format!(
            "there is no standard library for {target}: `rustup target add {target}` brings it"
        ));
    }
    let has_compiler = Command::new(COMPILER)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    (!has_compiler)
        .then(|| format!("there is no {COMPILER}: on Debian and Ubuntu the package musl-tools has it"))
}

/// This machine's, with musl.
fn target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}
