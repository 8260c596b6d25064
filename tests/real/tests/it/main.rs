//! Every scenario, on the stand-in API server and on kube-apiserver; then what needs a ground of its own, and death.

#![expect(
    clippy::print_stdout,
    reason = "what was not run, and how long the rest took, is told to whoever reads the output"
)]

mod alone;
mod commands;
mod kill;
mod kubectl;
mod requests;
mod scenarios;
mod secrecy;
mod turns;

use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;
use weir_control_plane::tools;
use weir_real::Ground;
use weir_runtime::Settings;

/// Short pauses, so that a test of a failure does not take the time that a cluster would.
fn settings() -> Settings {
    Settings {
        min_retry_delay: Duration::from_millis(100),
        requeue_dependency: Duration::from_secs(1),
        ..Settings::default()
    }
}

/// Whether what needs the reference programs is to be run; says so where it is not.
fn is_real_wanted(what: &str) -> bool {
    let wanted = std::env::var("WEIR_REAL").unwrap_or_default();
    if wanted == "off" || (wanted != "required" && tools::find("kube-apiserver").is_none()) {
        println!("not run: {what} (WEIR_REAL=off, or `cargo xtask tools` has not built what it takes)");
        return false;
    }
    true
}

async fn run_all(ground: &Ground, tier: &str) {
    let mut failed = Vec::new();
    // While one works on a few: those whose name has this in it.
    let wanted = std::env::var("WEIR_SCENARIOS").unwrap_or_default();
    let chosen = || scenarios::ALL.iter().filter(|(name, _)| name.contains(&wanted));
    assert!(chosen().next().is_some(), "no scenario is called like {wanted:?}");
    for (name, scenario) in chosen() {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenarios_hold_on_the_stand_in() {
    let ground = Ground::standin(settings()).await.unwrap();
    run_all(&ground, "stand-in").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenarios_hold_on_kube_apiserver() {
    if !is_real_wanted("scenarios on kube-apiserver") {
        return;
    }
    let ground = Ground::real(settings()).await.unwrap();
    run_all(&ground, "kube-apiserver").await;
}
