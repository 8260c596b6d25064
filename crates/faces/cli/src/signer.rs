//! Who signs: the options that `weir sign` and `weir attest` share, and what they print when it is done.

mod keyless;
mod token;

use clap::{ArgGroup, Args};
use serde_json::{Map, Value, json};
use weir_trust::{KeySigner, SignError, Stored};
use weir_verify::{Evidence, Identity, Target, TrustRoot};

use keyless::{Holder, KeylessArgs};

use crate::global::Context;
use crate::output::{self, Shape};
use crate::remote::Remote;
use crate::{CommandError, Kind, keys, run::Result, trust};

/// Options that say who signs.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("signer").args(["key", "keyless"]).required(true)))]
pub(crate) struct SignerArgs {
    /// Private key: a file, env://VARIABLE, k8s://NAMESPACE/SECRET, or exec://PROGRAM#KEY for one that a program reaches
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Sign with an identity instead of a key: the holder of an OpenID Connect token
    #[arg(long)]
    keyless: bool,
    /// Read the key's password from the first line of standard input [default: `$COSIGN_PASSWORD`]
    #[arg(long, conflicts_with = "keyless")]
    password_stdin: bool,
    #[command(flatten)]
    identity: KeylessArgs,
}

/// Who signs.
pub(crate) enum Signer {
    Key(Box<dyn KeySigner>),
    Identity(Box<Holder>),
}

impl Signer {
    /// The same, as the trust port takes it.
    pub(crate) fn as_port(&self) -> weir_trust::Signer<'_> {
        match self {
            Self::Key(key) => weir_trust::Signer::Key(key.as_ref()),
            Self::Identity(holder) => weir_trust::Signer::Identity(&holder.keyless, &holder.token),
        }
    }
}

impl SignerArgs {
    /// Reads the key, or finds the token. The services that sign are reached as `remote` says.
    pub(crate) async fn read(&self, cx: &mut Context<'_>, remote: &Remote) -> Result<Signer> {
        Ok(match &self.key {
            Some(key) => Signer::Key(keys::signer(cx, key, self.password_stdin).await?),
            None => Signer::Identity(Box::new(self.identity.holder(cx, remote).await?)),
        })
    }

    /// The authorities and logs that verifiers will trust.
    pub(crate) fn root(&self) -> Result<TrustRoot> {
        self.identity.root()
    }

    /// The signer whom the certificate must name, where that is said.
    pub(crate) fn expected(&self) -> Result<Option<Identity>> {
        self.identity.expected()
    }

    /// What names the key, where there is one.
    pub(crate) fn key_name(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Why signing failed, and what to try.
    pub(crate) fn explain(&self, failure: String, error: &SignError) -> CommandError {
        match error {
            SignError::Keyless { source, .. } => self.identity.explain(failure, source),
            SignError::TooLong { .. } => CommandError::caused(Kind::User, failure, error)
                .hint("leave out of the document what nobody checks, or state where it is and its digest"),
            SignError::Replace { .. } => CommandError::caused(Kind::Outside, failure, error)
                .hint("the registry may not delete; the new attestation counts, and so do the older ones"),
            SignError::Records(_) => CommandError::caused(Kind::Usage, failure, error).hint(
                "leave out `--replace`: the record with the highest number counts, whatever others there are",
            ),
            _ => CommandError::caused(Kind::Outside, failure, error),
        }
    }
}

/// What was signed and stored.
pub(crate) struct Done {
    /// What was made, as data calls it.
    what: &'static str,
    stored: Stored,
    /// By whom, for a line.
    by: String,
    /// The same and what else there is to know, as data.
    facts: Map<String, Value>,
}

impl Done {
    pub(crate) fn new(
        what: &'static str,
        stored: Stored,
        signer: &Signer,
        evidence: Option<&Evidence>,
    ) -> Self {
        let mut facts = Map::new();
        let mut by = String::new();
        if let Signer::Key(key) = signer {
            let fingerprint = key.public_key().fingerprint().to_string();
            by = format!("by key {fingerprint}");
            facts.insert("key".to_owned(), json!(fingerprint));
        }
        if let Some(evidence) = evidence {
            by = trust::by(evidence);
            trust::put_evidence(&mut facts, evidence);
        }
        Self {
            what,
            stored,
            by,
            facts,
        }
    }

    /// The same with another fact.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.facts.insert(name.to_owned(), value);
        self
    }

    /// Says what was done, and prints the artifact or the data.
    pub(crate) fn print(self, cx: &mut Context<'_>, target: &Target, done: &str, shape: Shape) -> Result<()> {
        let (repository, digest) = (target.repository(), target.digest());
        let Self {
            what,
            stored,
            by,
            facts,
        } = self;
        if shape == Shape::Text {
            cx.io.talk(&format!(
                "{done} {by}; stored as {} in oci://{repository}@{}",
                stored.layout, stored.manifest
            ));
            return cx.io.line(&format!("oci://{repository}@{digest}"));
        }
        let mut value = json!({
            "repository": repository.to_string(),
            "digest": digest.to_string(),
            "layout": stored.layout.to_string(),
            what: stored.manifest.to_string(),
        });
        if let Some(map) = value.as_object_mut() {
            map.extend(facts);
        }
        output::print_value(cx.io, &value, shape == Shape::Yaml)
    }
}
