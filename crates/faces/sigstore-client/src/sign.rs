//! `sign-bundle`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use weir_redact::SecretString;
use weir_registry::ClientOptions;
use weir_trust::{IdentityToken, Keyless, SigningConfig};

use crate::{ClientError, read, root};

/// Sign a file with an identity, and write the bundle.
#[derive(Debug, Args)]
pub(crate) struct SignBundle {
    /// The staging instance; refused without its files
    #[arg(long)]
    staging: bool,
    /// The file is an in-toto statement, to be signed as it is
    #[arg(long)]
    in_toto: bool,
    /// The identity token
    #[arg(long, value_name = "TOKEN")]
    identity_token: SecretString,
    /// Where to write the bundle
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// Authorities and logs that verifiers will trust [default: those of the public-good instance]
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// Where to sign [default: at the public-good instance]
    #[arg(long, value_name = "FILE")]
    signing_config: Option<PathBuf>,
    /// The file to sign
    #[arg(value_name = "FILE")]
    artifact: PathBuf,
}

impl SignBundle {
    pub(crate) async fn run(self) -> Result<(), ClientError> {
        if self.staging && (self.trusted_root.is_none() || self.signing_config.is_none()) {
            return Err(ClientError::Staging);
        }
        let config = match &self.signing_config {
            None => SigningConfig::public_good(),
            Some(path) => {
                SigningConfig::from_json(&read(path)?).map_err(|error| ClientError::file(path, error))?
            }
        };
        let root = root(self.trusted_root.as_deref())?;
        let content = read(&self.artifact)?;
        let token = IdentityToken::new(self.identity_token.clone()).map_err(ClientError::arguments)?;
        let clock = Arc::new(Timestamp::now);
        let keyless =
            Keyless::new(config, root, clock, &ClientOptions::default()).map_err(ClientError::arguments)?;
        let bundle = if self.in_toto {
            keyless.sign_statement(&token, &content).await
        } else {
            keyless.sign_blob(&token, &content).await
        };
        let bundle = bundle.map_err(|error| ClientError::Sign(Box::new(error)))?;
        std::fs::write(&self.bundle, bundle).map_err(|error| ClientError::file(&self.bundle, error))
    }
}
