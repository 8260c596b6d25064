//! The real kubectl, the same commands on the stand-in API server and on kube-apiserver: what it prints must be equal.
//!
//! What changes from run to run is masked: times, ages, uids, versions, addresses.

mod commands;
mod mask;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use weir_control_plane::tools;
use weir_real::Ground;

use crate::settings;
use commands::{COMMANDS, Call};

/// A kubectl with a kubeconfig and a cache of its own.
struct Kubectl {
    program: PathBuf,
    home: tempfile::TempDir,
}

impl Kubectl {
    fn new(program: &Path, kubeconfig: &str) -> Result<Self> {
        let home = tempfile::tempdir()?;
        std::fs::write(home.path().join("config"), kubeconfig)?;
        Ok(Self {
            program: program.to_owned(),
            home,
        })
    }

    /// What a command prints, and its exit code.
    fn run(&self, call: &Call) -> Result<String> {
        let mut child = Command::new(&self.program)
            .args(call.line.split_whitespace())
            .env("HOME", self.home.path())
            .env("KUBECONFIG", self.home.path().join("config"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().context("kubectl has no input")?;
        // It may not read all of it.
        let _written = stdin.write_all(call.stdin.as_bytes());
        drop(stdin);
        let out = child.wait_with_output()?;
        let text = |bytes: &[u8]| {
            let text = mask::volatile(&String::from_utf8_lossy(bytes));
            if call.line.starts_with("explain ") {
                mask::first_sentences(&text)
            } else {
                text
            }
        };
        Ok(format!(
            "exit {}\n{}---\n{}",
            out.status.code().unwrap_or(-1),
            text(&out.stdout),
            text(&out.stderr)
        ))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_prints_the_same_on_the_stand_in_and_on_kube_apiserver() -> Result<()> {
    if !crate::is_real_wanted("kubectl on both API servers") {
        return Ok(());
    }
    let program = tools::path("kubectl")?;
    let standin = Ground::standin_closed(settings(), weir_standin_registry::Options::default()).await?;
    let real = Ground::real_closed(settings()).await?;
    let (ours, theirs) = (standin.kubeconfig().await?, real.kubeconfig().await?);
    let (ours, theirs) = (Kubectl::new(&program, &ours)?, Kubectl::new(&program, &theirs)?);
    let differences = tokio::task::spawn_blocking(move || {
        let mut differences = Vec::new();
        for call in COMMANDS {
            let (ours, theirs) = (ours.run(call)?, theirs.run(call)?);
            if ours != theirs {
                differences.push(format!(
                    "== kubectl {}\n-- kube-apiserver\n{theirs}\n-- stand-in\n{ours}\n",
                    call.line
                ));
            }
        }
        anyhow::Ok(differences)
    })
    .await??;
    ensure!(
        differences.is_empty(),
        "{} of {} commands differ\n{}",
        differences.len(),
        COMMANDS.len(),
        differences.join("\n")
    );
    Ok(())
}
