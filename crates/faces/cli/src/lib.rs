//! Weir's commands, one file each.
//!
//! A command is a file: its arguments, its function and its example. The library never reads the environment,
//! the terminal or the time by itself; all of that comes in through [`Io`], so a test runs a command as a person
//! does and looks at what was printed. Standard output is data, standard error is talk.
//!
//! It decides nothing about Kubernetes, registries or signatures: commands join the crates that do.
//!
//! Start with [`run`]; the list of commands is in `cli.rs`.
//!
//! ```
//! # tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
//! use weir_cli::{Exit, Io, run};
//!
//! let (mut io, printed) = Io::captured();
//! assert_eq!(run(["weir", "explain", "Succeeded"], &mut io).await, Exit::Success);
//! assert!(printed.stdout().starts_with("# Succeeded"));
//! # });
//! ```

mod cli;
mod discover;
mod disk;
mod error;
mod follow;
mod global;
mod io;
mod job;
mod keys;
mod kinds;
mod moving;
mod output;
mod pages;
mod posture;
mod progress;
mod remote;
mod run;
mod signer;
mod status;
mod table;
mod trust;

mod artifact;
mod attest;
mod check;
mod completion;
mod controller;
mod demo;
mod events;
mod explain;
mod export;
mod get;
mod helm;
mod install;
mod key;
mod kustomize;
mod logs;
mod promote;
mod publish;
mod reconcile;
mod registry;
mod rollback;
mod sign;
mod suspend;
mod trace;
mod tree;
mod uninstall;
mod verify;
mod wait;

pub use cli::{Cli, LogEncoding, log_filter};
pub use error::{CommandError, Kind};
pub use io::{Captured, Io};
pub use run::{Exit, execute, execute_alone, parse, run};
