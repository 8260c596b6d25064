//! The project's own tasks. `cargo xtask --help` lists them.
#![expect(clippy::print_stdout, reason = "tasks talk to the person who runs them")]

mod bench;
mod ci;
mod codegen;
mod control_plane;
mod dist;
mod layout;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use weir_control_plane::tools;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "weir's own tasks")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that CI runs: format, lints, tidy, generated files, documentation, all tests.
    Ci,
    /// The quick tests: everything that needs no reference program.
    Test,
    /// The repository's own rules: floors, banned crates, reason pages, paths in the docs.
    Tidy,
    /// Writes the generated files in deploy/ and docs/; with --check says which are out of date.
    Codegen {
        /// Changes nothing and fails if a file is out of date.
        #[arg(long)]
        check: bool,
    },
    /// Builds the reference programs that tests compare with into ~/.cache/weir/tools.
    Tools {
        /// Only these folders of tests/tools.
        names: Vec<String>,
    },
    /// Plays the stand-in API server's scenario files to a real kube-apiserver.
    Scenarios,
    /// Builds the program that is given to people: static, with musl, for Linux on this machine's processor.
    Dist,
    /// Measures weir, built for release: the static program where it can be built, else this machine's.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Writes down which functions `kustomize build` and `helm template` run, for the linker to lay them together. Needs
    /// valgrind and nm, and the data that `bench helm` needs.
    Layout {
        /// The program to watch, built for release already; without it, weir is built.
        #[arg(long, value_name = "FILE")]
        weir: Option<PathBuf>,
    },
    /// Compares weir with a reference program on generated inputs: `kustomize`, `helm`, `yaml`. See --help behind it.
    #[command(disable_help_flag = true)]
    Differential {
        /// The subject and its options.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Feeds mutated inputs to `yaml`, `kustomize`, `templates`, `charts` or `records`: nothing may panic, hang or grow.
    #[command(disable_help_flag = true)]
    Fuzz {
        /// The subject and its options.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Starts a real control plane on loopback, prints its kubeconfig's path and runs until interrupted.
    ControlPlane,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Ci => ci::all(),
        Task::Test => ci::quick(),
        Task::Tidy => tidy::run(),
        Task::Codegen { check } => codegen::run(check),
        Task::Dist => dist::build().map(|weir| println!("{}", weir.display())),
        Task::Tools { names } => build_tools(&names),
        Task::Scenarios => ci::scenarios(),
        Task::Bench(bench) => bench.run(),
        Task::Layout { weir } => layout::write(weir.as_deref()),
        Task::Differential { arguments } => ci::differential(&arguments),
        Task::Fuzz { arguments } => ci::fuzz(&arguments),
        Task::ControlPlane => control_plane::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The checkout's root: the folder above this crate.
fn root() -> Result<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    Ok(here.parent().context("xtask lies in no checkout")?.to_path_buf())
}

/// Where cargo builds.
fn target_folder() -> Result<PathBuf> {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Ok(root()?.join("target")), |set| Ok(set.into()))
}

fn build_tools(names: &[String]) -> Result<()> {
    for tool in tools::ALL {
        if names.is_empty() || names.iter().any(|n| n == tool.folder) {
            println!("{} {}", tool.folder, tool.version);
            tools::build(&root()?, tool)?;
        }
    }
    println!("in {}", tools::cache()?.display());
    Ok(())
}
