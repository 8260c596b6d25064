//! `weir sign`.

use std::collections::BTreeMap;

use clap::Args;
use weir_oci::Reference;
use weir_registry::Client;
use weir_trust::{SignOptions, sign, sign_keyless};
use weir_verify::{Layout, Target};

use crate::global::Context;
use crate::output::Shape;
use crate::remote::{Remote, read_reference};
use crate::signer::{Done, Signer, SignerArgs};
use crate::{Exit, run::Result};

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
  4. the file that SIGSTORE_OIDC_TOKEN_FILE names
  5. /var/run/sigstore/cosign/oidc-token, where Pods have that of their ServiceAccount

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
#[command(after_help = EXAMPLES)]
pub(crate) struct Sign {
    /// The artifact: oci://HOST/REPOSITORY[:TAG][@DIGEST]
    #[arg(value_name = "REFERENCE", value_parser = read_reference)]
    reference: Reference,
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
    signer: SignerArgs,
    #[command(flatten)]
    remote: Remote,
}

fn read_annotation(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

impl Sign {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let signer = self.signer.read(cx, &self.remote).await?;
        let (client, target) = self.remote.target(cx, &self.reference).await?;
        let options = self.options(cx);
        let work = self.sign(&client, &target, &signer, &options);
        let done = cx.in_time("signing", work).await?;
        done.print(cx, &target, "signed", self.output)?;
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
    ) -> Result<Done> {
        let failed = |error| self.signer.explain(format!("cannot sign {target}"), &error);
        // On the heap: they are large, and this function's own future would hold them.
        match signer {
            Signer::Key(key) => {
                let work = Box::pin(sign(client, target, key.as_ref(), options));
                Ok(Done::new("signature", work.await.map_err(failed)?, signer, None))
            }
            Signer::Identity(holder) => {
                let (keyless, token) = (&holder.keyless, &holder.token);
                let work = Box::pin(sign_keyless(client, target, keyless, token, options));
                let signed = work.await.map_err(failed)?;
                Ok(Done::new(
                    "signature",
                    signed.stored,
                    signer,
                    Some(&signed.evidence),
                ))
            }
        }
    }
}
