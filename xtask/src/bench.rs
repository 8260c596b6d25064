//! What is measured, and against what.

mod kustomize;
mod trees;

use anyhow::{Context, Result};
use clap::Subcommand;
use weir_control_plane::tools;

use crate::ci::step;

/// The benchmarks.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Controllers on a real kube-apiserver: pairs of OCIRepository and Kustomization.
    Walk {
        /// How many pairs, run by run.
        #[arg(default_values_t = [100, 1000, 2500])]
        pairs: Vec<usize>,
    },
    /// `weir kustomize build` against kustomize: time and memory of whole processes, outputs compared; and how weir's
    /// grow with trees that have many of one thing.
    Kustomize {
        /// How many Deployments, run by run.
        #[arg(default_values_t = [100, 300, 1000, 5000])]
        deployments: Vec<usize>,
        /// Runs kustomize for more than 1,000 Deployments too.
        #[arg(long, conflicts_with = "growth")]
        all: bool,
        /// Measures growth alone, and so needs no kustomize.
        #[arg(long)]
        growth: bool,
    },
}

impl Bench {
    /// Builds for release what is measured, and measures it.
    pub(crate) fn run(&self) -> Result<()> {
        match self {
            Self::Walk { pairs } => walk(pairs),
            Self::Kustomize {
                deployments,
                all,
                growth,
            } => {
                if !growth {
                    build_tools(&["kustomize"])?;
                }
                step("build", &["build", "--release", "--package", "weir"], &[])?;
                let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
                    || crate::root().map(|root| root.join("target")),
                    |set| Ok(set.into()),
                )?;
                let weir = target.join("release/weir");
                if !growth {
                    kustomize::compare(deployments, *all, &weir).context("bench kustomize")?;
                }
                kustomize::growth(deployments, &weir).context("bench kustomize, growth")
            }
        }
    }
}

/// The walk's benchmark, on a control plane of its own.
fn walk(pairs: &[usize]) -> Result<()> {
    build_tools(&["etcd", "kubernetes"])?;
    let release = ["--release", "--package", "weir-real", "--package", "weir"];
    step("build", &[&["build"], &release[..]].concat(), &[])?;
    let pairs: Vec<String> = pairs.iter().map(ToString::to_string).collect();
    let mut arguments = vec![
        "run",
        "--release",
        "--quiet",
        "--package",
        "weir-real",
        "--bin",
        "walk-bench",
    ];
    arguments.extend(pairs.iter().map(String::as_str));
    step("bench", &arguments, &[])
}

fn build_tools(folders: &[&str]) -> Result<()> {
    for tool in tools::ALL.iter().filter(|t| folders.contains(&t.folder)) {
        tools::build(&crate::root()?, tool)?;
    }
    Ok(())
}
