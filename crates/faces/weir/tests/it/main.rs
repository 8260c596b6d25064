//! The binary as a process: exit codes, streams, and a reader that goes away.

mod actions;
mod gh;
mod guides;
mod outside;
mod runner;

use std::io::Read as _;
use std::process::{Command, Output, Stdio};

fn weir(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    // Nothing of the machine's own settings: no kubeconfig, no registry credentials.
    command.args(args).env_clear().env("HOME", "/nonexistent");
    command
}

fn run(args: &[&str]) -> Output {
    weir(args).output().expect("the binary runs")
}

#[test]
fn exit_codes_are_0_1_and_2() {
    let fine = run(&["explain", "Succeeded"]);
    assert_eq!(fine.status.code(), Some(0));
    assert!(fine.stderr.is_empty() && fine.stdout.starts_with(b"# Succeeded\n"));
    let failed = run(&["explain", "Nonsense"]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(failed.stdout.is_empty() && failed.stderr.starts_with(b"error: "));
    let wrong = run(&["explain", "a", "b"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(wrong.stdout.is_empty() && wrong.stderr.starts_with(b"error: "));
}

#[test]
fn without_arguments_the_help_is_printed_and_the_exit_code_is_2() {
    let out = run(&[]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("Usage: weir"));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    // More than a pipe holds, so that writing must meet the closed end.
    let folder = tempfile::tempdir().expect("a folder");
    let value = "x".repeat(200_000);
    let config = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{a: {value}}}\n");
    std::fs::write(folder.path().join("config.yaml"), config).expect("writes");
    std::fs::write(
        folder.path().join("kustomization.yaml"),
        "resources: [config.yaml]\n",
    )
    .expect("writes");
    let mut child = weir(&["kustomize", "build"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_exact(&mut [0; 10]).expect("reads the beginning");
    drop(stdout);
    let out = child.wait_with_output().expect("ends");
    assert_eq!(out.status.code(), Some(0));
    assert!(out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn without_a_cluster_the_error_says_what_to_do() {
    let out = run(&["get", "all"]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1));
    assert!(
        said.contains("no kubeconfig") && said.contains("--kubeconfig"),
        "{said}"
    );
}
