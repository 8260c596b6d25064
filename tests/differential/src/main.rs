//! Generated inputs for weir's engines and for the programs that they are judged by, compared byte for byte.
//!
//! A module a subject. What an input is depends on the seed and its number alone, so that a difference can be had
//! again; each run prints its seed.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

mod dice;
mod fuzz;
mod helm;
mod kept;
mod kustomize;
mod oracle;
mod pool;
mod scalars;
mod value;
mod writer;
mod yaml;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "weir-differential",
    about = "generated inputs, compared with the reference programs"
)]
struct Arguments {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Subcommand)]
enum Subject {
    /// kustomize build on generated trees.
    Kustomize(kustomize::Arguments),
    /// The template engine on generated templates, and helm template on charts.
    Helm(helm::Arguments),
    /// The YAML layer on generated texts.
    Yaml(yaml::Arguments),
    /// Mutated inputs: nothing may panic, hang or grow.
    Fuzz(fuzz::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().subject {
        Subject::Kustomize(arguments) => kustomize::run(&arguments),
        Subject::Helm(arguments) => helm::run(&arguments),
        Subject::Yaml(arguments) => yaml::run(&arguments),
        Subject::Fuzz(arguments) => fuzz::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
