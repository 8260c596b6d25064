//! A client of Sigstore as the sigstore-conformance suite calls one: `sign-bundle` and `verify-bundle`, by the suite's
//! CLI protocol. It joins the crates that do the work for `weir sign` and `weir verify`, so that the suite judges those.
//!
//! Not there: the staging instance, whose trust root weir does not ship.

mod sign;
mod verify;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use weir_verify::TrustRoot;

/// Sign and verify files with Sigstore, by the protocol of the sigstore-conformance suite.
#[derive(Debug, Parser)]
#[command(name = "weir-sigstore-client", version)]
struct Client {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    SignBundle(sign::SignBundle),
    VerifyBundle(verify::VerifyBundle),
}

/// Why there is no signature or no verdict, or the verdict is no.
#[derive(Debug, thiserror::Error)]
enum ClientError {
    /// A file.
    #[error("cannot use the file {path}")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// An instance that is not known.
    #[error(
        "the staging instance is not known here; name its files with --trusted-root and --signing-config"
    )]
    Staging,
    /// What was given does not go together, or cannot be read.
    #[error("cannot use the arguments")]
    Arguments(#[source] Box<dyn Error + Send + Sync>),
    /// The answer is no.
    #[error("not verified")]
    Refused(#[source] Box<weir_verify::Rejection>),
    /// Nothing was signed.
    #[error("not signed")]
    Sign(#[source] Box<weir_trust::KeylessError>),
}

impl ClientError {
    fn arguments(source: impl Error + Send + Sync + 'static) -> Self {
        Self::Arguments(Box::new(source))
    }

    fn file(path: &Path, source: impl Error + Send + Sync + 'static) -> Self {
        Self::File {
            path: path.to_owned(),
            source: Box::new(source),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ClientError> {
    std::fs::read(path).map_err(|error| ClientError::file(path, error))
}

/// The root of a file, or that of the public-good instance.
fn root(path: Option<&Path>) -> Result<TrustRoot, ClientError> {
    match path {
        None => Ok(TrustRoot::public_good()),
        Some(path) => TrustRoot::from_json(&read(path)?).map_err(|error| ClientError::file(path, error)),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // An error says that a provider is installed already, which is as good.
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let done = match Client::parse().command {
        Command::SignBundle(command) => command.run().await,
        Command::VerifyBundle(command) => command.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the suite reads why from there")]
fn say(error: &ClientError) {
    eprintln!("error: {error}");
    let mut next = error.source();
    while let Some(source) = next {
        eprintln!("  because: {source}");
        next = source.source();
    }
}
