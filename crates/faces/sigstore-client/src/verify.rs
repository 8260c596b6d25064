//! `verify-bundle`.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use jiff::Timestamp;
use weir_oci::Digest;
use weir_verify::{Blob, Identity, IdentityPolicy, KeyPolicy, Policy, PublicKey, verify_blob};

use crate::{ClientError, read, root};

/// Verify a bundle over a file.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("signer").args(["certificate_identity", "key"]).required(true)))]
pub(crate) struct VerifyBundle {
    /// The staging instance; refused without a trust root
    #[arg(long)]
    staging: bool,
    /// The bundle
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// Whom the certificate must name, exactly
    #[arg(long, value_name = "IDENTITY", requires = "certificate_oidc_issuer")]
    certificate_identity: Option<String>,
    /// Who must vouch for them, exactly
    #[arg(long, value_name = "URL", conflicts_with = "key")]
    certificate_oidc_issuer: Option<String>,
    /// The public key that must have signed
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Authorities and logs [default: those of the public-good instance]
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// The file, or `sha256:` and its digest
    #[arg(value_name = "FILE_OR_DIGEST")]
    artifact: String,
}

impl VerifyBundle {
    pub(crate) fn run(self) -> Result<(), ClientError> {
        if self.staging && self.trusted_root.is_none() {
            return Err(ClientError::Staging);
        }
        let policy = self.policy()?;
        let bundle = read(&self.bundle)?;
        let path = Path::new(&self.artifact);
        // A file of that name is the file.
        let digest = self.artifact.parse::<Digest>().ok().filter(|_| !path.exists());
        let content;
        let blob = if let Some(digest) = digest {
            Blob::Digest(digest)
        } else {
            content = read(path)?;
            Blob::Content(&content)
        };
        let now = Timestamp::now();
        verify_blob(blob, &bundle, &policy, now)
            .map(|_evidence| ())
            .map_err(|reason| ClientError::Refused(Box::new(reason)))
    }

    fn policy(&self) -> Result<Policy, ClientError> {
        let root = root(self.trusted_root.as_deref())?;
        if let Some(path) = &self.key {
            let pem = String::from_utf8(read(path)?).map_err(|error| ClientError::file(path, error))?;
            let key = PublicKey::from_pem(&pem).map_err(|error| ClientError::file(path, error))?;
            let keys = KeyPolicy::new([(path.display().to_string(), key)]).map_err(ClientError::arguments)?;
            return Ok(Policy::Keys(keys.in_log_of(root)));
        }
        let issuer = self.certificate_oidc_issuer.clone().unwrap_or_default();
        let subject = self.certificate_identity.clone().unwrap_or_default();
        let identity = Identity::exact(issuer, subject).map_err(ClientError::arguments)?;
        let policy = IdentityPolicy::new(root, [identity]).map_err(ClientError::arguments)?;
        Ok(Policy::Identities(policy))
    }
}
