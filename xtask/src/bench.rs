//! What is measured, and against what.

mod helm;
mod kustomize;
mod process;
mod trees;

pub(crate) use process::folder;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Subcommand;
use weir_control_plane::tools;

use crate::ci::step;
use crate::dist;

/// The benchmarks.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Controllers on a real kube-apiserver: pairs of OCIRepository and Kustomization.
    Walk {
        /// How many pairs, run by run.
        #[arg(default_values_t = [100, 1000, 2500])]
        pairs: Vec<usize>,
    },
    /// Controllers on a real kube-apiserver: HelmReleases of a small chart, each with a HelmChart of its own.
    Releases {
        /// How many releases, run by run.
        #[arg(default_values_t = [300])]
        releases: Vec<usize>,
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
        /// The program to measure, built already; without it, weir is built for release.
        #[arg(long, value_name = "FILE")]
        weir: Option<PathBuf>,
    },
    /// `weir helm template` against helm: time and memory of whole processes, outputs compared. Charts: kube-prometheus-stack
    /// and cert-manager of the D2 data (WEIR_D2), the five heaviest cases of k8s-monitoring (WEIR_CONFORMANCE).
    Helm {
        /// Prints JSON instead of a table.
        #[arg(long)]
        json: bool,
        /// The program to measure, built already; without it, weir is built for release.
        #[arg(long, value_name = "FILE")]
        weir: Option<PathBuf>,
    },
    /// What trust costs: verifications a second, what a verified source adds to a reconcile, a publication end to end, against
    /// services in one process.
    Trust,
}

const TRUST: [&str; 7] = [
    "run",
    "--release",
    "--quiet",
    "--package",
    "weir-real",
    "--bin",
    "trust-bench",
];

impl Bench {
    /// Builds for release what is measured, and measures it.
    pub(crate) fn run(&self) -> Result<()> {
        match self {
            Self::Walk { pairs } => controllers("walk-bench", pairs),
            Self::Releases { releases } => controllers("release-bench", releases),
            Self::Trust => step("bench", &TRUST, &[]),
            Self::Kustomize {
                deployments,
                all,
                growth,
                weir,
            } => {
                if !growth {
                    build_tools(&["kustomize"])?;
                }
                let weir = given_or_built(weir.as_deref())?;
                if !growth {
                    kustomize::compare(deployments, *all, &weir).context("bench kustomize")?;
                }
                kustomize::growth(deployments, &weir).context("bench kustomize, growth")
            }
            Self::Helm { json, weir } => {
                build_tools(&["helm"])?;
                let weir = given_or_built(weir.as_deref())?;
                helm::compare(&weir, *json).context("bench helm")
            }
        }
    }
}

/// What weir is measured at against kustomize and helm: commands of each, as their arguments.
pub(crate) fn commands(folder: &Path) -> Result<[Vec<Vec<String>>; 2]> {
    build_tools(&["helm"])?;
    Ok([kustomize::commands(folder)?, helm::commands(folder)?])
}

/// The program that was named, or weir, built for release.
pub(crate) fn given_or_built(weir: Option<&Path>) -> Result<PathBuf> {
    weir.map_or_else(release, |weir| Ok(weir.to_path_buf()))
}

/// Builds weir for release: as it is given to people, or, where that can't be, for this machine.
fn release() -> Result<PathBuf> {
    let Some(missing) = dist::missing() else {
        return dist::build();
    };
    println!("Not the static program, which is smaller: {missing}.");
    step("build", &["build", "--release", "--package", "weir"], &[])?;
    Ok(crate::target_folder()?.join("release/weir"))
}

/// A benchmark of the controllers, on a control plane of its own.
fn controllers(program: &str, sizes: &[usize]) -> Result<()> {
    build_tools(&["etcd", "kubernetes"])?;
    let release = ["--release", "--package", "weir-real", "--package", "weir"];
    step("build", &[&["build"], &release[..]].concat(), &[])?;
    let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
    let mut arguments = vec![
        "run",
        "--release",
        "--quiet",
        "--package",
        "weir-real",
        "--bin",
        program,
    ];
    arguments.extend(sizes.iter().map(String::as_str));
    step("bench", &arguments, &[])
}

fn build_tools(folders: &[&str]) -> Result<()> {
    for tool in tools::ALL.iter().filter(|t| folders.contains(&t.folder)) {
        tools::build(&crate::root()?, tool)?;
    }
    Ok(())
}
