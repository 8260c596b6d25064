//! `weir sign`.

mod keyless;
mod token;

use std::collections::BTreeMap;

use clap::{ArgGroup, Args};
use serde_json::{Map, Value, json};
use weir_oci::Reference;
use weir_registry::Client;
use weir_trust::{SignError, SignOptions, SigningKey, Stored, sign, sign_keyless};
use weir_verify::{Layout, Target};

use keyless::KeylessArgs;

use crate::global::Context;
use crate::output::{self, Shape};
use crate::remote::{Remote, read_reference};
use crate::{CommandError, Exit, Kind, keys, run::Result, trust};

const EXAMPLES: &str = "\
Examples:
  COSIGN_PASSWORD=... weir sign oci://ghcr.io/org/apps@sha256:DIGEST --key cosign.key
  weir sign oci://ghcr.io/org/apps:latest --key env://SIGNING_KEY --password-stdin < password
  weir sign oci://ghcr.io/org/apps@sha256:DIGEST --key k8s://flux-system/cosign --legacy
  weir sign oci://ghcr.io/org/apps@sha256:DIGEST --keyless
  weir sign oci://registry.example/apps@sha256:DIGEST --keyless --identity-token-file token \\
    --signing-config signing_config.json --trusted-root trusted_root.json
  weir sign oci://ghcr.io/org/apps@sha256:DIGEST --keyless \\
    --certificate-identity https://github.com/org/apps/.github/workflows/push.yml@refs/heads/main \\
    --certificate-oidc-issuer https://token.actions.githubusercontent.com

The identity token comes from the first of these that is there:
  1. `--identity-token` or `--identity-token-file`
  2. the variable SIGSTORE_ID_TOKEN (in GitLab: `id_tokens` with `aud: sigstore`)
  3. GitHub Actions, by ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN
     (the job needs `permissions: id-token: write`)

Exit codes: 0 signed, 1 not signed, 2 wrong usage; a missing password or token is wrong usage, too.";

/// Sign an artifact with a key or an identity, as cosign does
///
/// The signature is stored beside the artifact, where weir, Flux and cosign find it. A tag is resolved first, and
/// what it points to at that moment is signed: name the digest wherever you know it. Prints what was signed.
///
/// With `--keyless`, a certificate for the identity of a token, a log entry and a timestamp are fetched from Sigstore's
/// services, and the signature is verified before it is stored. The identity and the digest are then in the log for
/// good; the log of the public-good instance is public.
#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    group(ArgGroup::new("signer").args(["key", "keyless"]).required(true)),
)]
pub(crate) struct Sign {
    /// The artifact: oci://HOST/REPOSITORY[:TAG][@DIGEST]
    #[arg(value_name = "REFERENCE", value_parser = read_reference)]
    reference: Reference,
    /// Private key: a file, env://VARIABLE, or k8s://NAMESPACE/SECRET
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Sign with an identity instead of a key: the holder of an OpenID Connect token
    #[arg(long)]
    keyless: bool,
    /// Read the key's password from the first line of standard input [default: `$COSIGN_PASSWORD`]
    #[arg(long, conflicts_with = "keyless")]
    password_stdin: bool,
    /// Store it the way cosign did before version 3, under a tag `sha256-….sig`
    #[arg(long)]
    legacy: bool,
    /// Remark to sign along; with `--legacy` only; may be repeated
    #[arg(short, long, value_name = "KEY=VALUE", requires = "legacy", value_parser = read_annotation)]
    annotations: Vec<(String, String)>,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Shape,
    #[command(flatten)]
    identity: KeylessArgs,
    #[command(flatten)]
    remote: Remote,
}

/// Who signs.
enum Signer {
    Key(Box<SigningKey>),
    Identity(Box<keyless::Signer>),
}

/// A signature that is stored.
struct Signed {
    stored: Stored,
    /// By whom, for a line.
    by: String,
    /// The same as data.
    facts: Map<String, Value>,
}

fn read_annotation(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

impl Sign {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let signer = match &self.key {
            Some(key) => Signer::Key(Box::new(keys::private(cx, key, self.password_stdin).await?)),
            None => Signer::Identity(Box::new(self.identity.signer(cx).await?)),
        };
        let repository = self.reference.repository();
        let client = self.remote.client(cx, repository)?;
        let digest = cx
            .in_time("resolving the artifact", async {
                Ok(client.resolve(&self.reference).await?.digest)
            })
            .await?;
        if self.reference.digest().is_none() {
            cx.io.talk(&format!(
                "{} is {digest} now; a tag can move, so name the digest where you know it",
                self.reference
            ));
        }
        let target = Target::new(repository.clone(), digest);
        let options = self.options(cx);
        let work = self.sign(&client, &target, &signer, &options);
        let signed = cx.in_time("signing", work).await?;
        self.print(cx, &target, signed)?;
        Ok(Exit::Success)
    }

    fn options(&self, cx: &Context<'_>) -> SignOptions {
        let layout = if self.legacy {
            Layout::Legacy
        } else {
            Layout::Bundle
        };
        let mut options = SignOptions::at(cx.io.now()).in_layout(layout);
        options.annotations = self.annotations.iter().cloned().collect::<BTreeMap<_, _>>();
        options
    }

    async fn sign(
        &self,
        client: &Client,
        target: &Target,
        signer: &Signer,
        options: &SignOptions,
    ) -> Result<Signed> {
        let failed = |error: SignError| match &error {
            SignError::Keyless { source, .. } => self.identity.explain(&target.to_string(), source),
            _ => CommandError::caused(Kind::Outside, format!("cannot sign {target}"), &error),
        };
        let mut facts = Map::new();
        // On the heap: they are large, and this function's own future would hold them.
        match signer {
            Signer::Key(key) => {
                let work = Box::pin(sign(client, target, key, options));
                let stored = work.await.map_err(failed)?;
                let fingerprint = key.public_key().fingerprint().to_string();
                facts.insert("key".to_owned(), json!(fingerprint));
                let by = format!("by key {fingerprint}");
                Ok(Signed { stored, by, facts })
            }
            Signer::Identity(signer) => {
                let work = Box::pin(sign_keyless(
                    client,
                    target,
                    &signer.keyless,
                    &signer.token,
                    options,
                ));
                let signed = work.await.map_err(failed)?;
                trust::put_evidence(&mut facts, &signed.evidence);
                Ok(Signed {
                    stored: signed.stored,
                    by: trust::by(&signed.evidence),
                    facts,
                })
            }
        }
    }

    fn print(&self, cx: &mut Context<'_>, target: &Target, signed: Signed) -> Result<()> {
        let (repository, digest) = (target.repository(), target.digest());
        let Signed { stored, by, facts } = signed;
        if self.output == Shape::Text {
            cx.io.talk(&format!(
                "signed {by}; stored as {} in oci://{repository}@{}",
                stored.layout, stored.manifest
            ));
            return cx.io.line(&format!("oci://{repository}@{digest}"));
        }
        let mut value = json!({
            "repository": repository.to_string(),
            "digest": digest.to_string(),
            "layout": stored.layout.to_string(),
            "signature": stored.manifest.to_string(),
        });
        if let Some(map) = value.as_object_mut() {
            map.extend(facts);
        }
        output::print_value(cx.io, &value, self.output == Shape::Yaml)
    }
}
