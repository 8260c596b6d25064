//! What CI runs, and the quick part of it.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use weir_control_plane::{ControlPlane, tools};

/// Everything, in the order that fails soonest.
pub(crate) fn all() -> Result<()> {
    step("fmt", &["fmt", "--all", "--check"], &[])?;
    println!("== tidy");
    crate::tidy::run()?;
    println!("== codegen --check");
    crate::codegen::run(true)?;
    step(
        "clippy",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ],
        &[],
    )?;
    step(
        "doc",
        &["doc", "--workspace", "--no-deps", "--quiet"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )?;
    println!("== tools");
    for tool in tools::ALL {
        let begun = Instant::now();
        tools::build(&crate::root()?, tool)?;
        println!(
            "{} {} ({} s)",
            tool.folder,
            tool.version,
            begun.elapsed().as_secs()
        );
    }
    scenarios()?;
    // The same trees and texts each time: a change that breaks one is to blame, not chance.
    differential(&["kustomize", "--count", "200", "--seed", "1"].map(str::to_owned))?;
    differential(&["yaml", "--count", "2000", "--seed", "1"].map(str::to_owned))?;
    // The fleet's charts are compared by the tests of weir-helm.
    let few = "helm --templates 1500 --charts 150 --fleet 0 --lints 200 --seed 1";
    let few: Vec<String> = few.split(' ').map(str::to_owned).collect();
    differential(&few)?;
    step(
        "test",
        &["test", "--workspace", "--no-fail-fast"],
        &[("WEIR_REAL", "required")],
    )
}

/// The stand-in API server's scenario files, played to a real one: where the two differ, the stand-in is wrong.
pub(crate) fn scenarios() -> Result<()> {
    let plane = ControlPlane::start()?;
    let environment = [
        ("WEIR_TEST_KUBE_URL", plane.url()),
        ("WEIR_TEST_KUBE_TOKEN", plane.token()),
    ];
    let arguments = [
        "test",
        "--package",
        "weir-standin-apiserver",
        "--test",
        "it",
        "a_real_server",
        "--",
        "--nocapture",
    ];
    step("scenario files on kube-apiserver", &arguments, &environment)
}

/// Generated inputs, compared with the reference programs.
pub(crate) fn differential(arguments: &[String]) -> Result<()> {
    generated("differential", arguments)
}

/// Mutated inputs, which must do no harm.
pub(crate) fn fuzz(arguments: &[String]) -> Result<()> {
    let arguments = [&["fuzz".to_owned()], arguments].concat();
    generated("fuzz", &arguments)
}

fn generated(name: &str, arguments: &[String]) -> Result<()> {
    let run = ["run", "--quiet", "--package", "weir-differential", "--"];
    let arguments: Vec<&str> = run
        .into_iter()
        .chain(arguments.iter().map(String::as_str))
        .collect();
    step(name, &arguments, &[])
}

/// Unit, case, conformance and scenario tests; the real control plane is left out.
pub(crate) fn quick() -> Result<()> {
    step(
        "test",
        &["test", "--workspace", "--no-fail-fast"],
        &[("WEIR_REAL", "off")],
    )
}

/// Runs cargo, and says how long it took.
pub(crate) fn step(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    println!("== {name}");
    let begun = Instant::now();
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(crate::root()?).args(arguments);
    for (key, value) in environment {
        command.env(key, value);
    }
    let status = command
        .status()
        .with_context(|| format!("cannot run cargo for `{name}`"))?;
    if !status.success() {
        bail!("`cargo {}` failed", arguments.join(" "));
    }
    println!("== {name} done in {} s", begun.elapsed().as_secs());
    Ok(())
}
