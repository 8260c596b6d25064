//! Releases on the stand-in API server and on kube-apiserver: the same scenarios on both. Then death at every request,
//! and turns with the real helm.

#![expect(
    clippy::print_stdout,
    reason = "what was not run, and how long the rest took, is told to whoever reads the output"
)]

mod cut;
mod ground;
mod interop;
mod scenarios;

use anyhow::Result;
use tokio::time::Instant;
use weir_control_plane::tools;

use ground::Ground;

async fn run_all(ground: &Ground, tier: &str) {
    let wanted = std::env::var("SCENARIO").unwrap_or_default();
    let mut failed = Vec::new();
    for (name, scenario) in scenarios::ALL.iter().filter(|(name, _)| name.contains(&wanted)) {
        let begun = Instant::now();
        let outcome: Result<()> = scenario(ground).await;
        match outcome {
            Ok(()) => println!("{tier}: {name} ({} ms)", begun.elapsed().as_millis()),
            Err(error) => {
                println!("{tier}: {name} FAILED: {error:#}");
                failed.push(*name);
            }
        }
    }
    assert!(
        failed.is_empty(),
        "{} of {} scenarios failed on {tier}: {failed:?}",
        failed.len(),
        scenarios::ALL.len()
    );
}

/// A real control plane; `None`, with one line saying so, where it is not wanted or its programs are not built.
async fn real(programs: &[&str], what: &str) -> Result<Option<Ground>> {
    let wanted = std::env::var("WEIR_REAL").unwrap_or_default();
    let missing = programs.iter().any(|program| tools::find(program).is_none());
    if wanted == "off" || (wanted != "required" && missing) {
        println!("not run: {what} (WEIR_REAL=off, or `cargo xtask tools` has not built {programs:?})");
        return Ok(None);
    }
    Ground::real().await.map(Some)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenarios_hold_on_the_stand_in() {
    let ground = Ground::standin();
    run_all(&ground, "stand-in").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenarios_hold_on_kube_apiserver() -> Result<()> {
    if let Some(ground) = real(&["kube-apiserver"], "scenarios on kube-apiserver").await? {
        run_all(&ground, "kube-apiserver").await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helm_and_weir_take_turns() -> Result<()> {
    if let Some(ground) = real(&["kube-apiserver", "helm"], "turns with helm").await? {
        interop::all(&ground).await;
    }
    Ok(())
}
