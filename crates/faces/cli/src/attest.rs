//! `weir attest`.

mod download;
mod list;
mod make;

use clap::{Args, Subcommand};
pub(crate) use make::document;
use weir_trust::find_attestations;
use weir_verify::{PredicateType, Rejection, SignatureSet, Statement, Target};

use crate::global::Context;
use crate::run::Result;
use crate::{CommandError, Kind};

const EXAMPLES: &str = "\
Examples:
  weir attest oci://ghcr.io/org/apps@sha256:DIGEST --keyless \\
    --type slsaprovenance1 --predicate provenance.json
  weir attest oci://ghcr.io/org/apps@sha256:DIGEST --key cosign.key \\
    --type spdxjson --predicate sbom.json
  trivy image IMAGE --format cosign-vuln | weir attest oci://ghcr.io/org/apps@sha256:DIGEST \\
    --type vuln --predicate - --replace --key env://SIGNING_KEY
  weir attest oci://ghcr.io/org/apps@sha256:DIGEST --type https://example.org/promotion/v1 \\
    --predicate promotion.json --keyless
  weir attest list oci://ghcr.io/org/apps:latest
  weir attest download oci://ghcr.io/org/apps:latest --type cyclonedx --part predicate > sbom.json
  weir verify oci://ghcr.io/org/apps:latest --type slsaprovenance1 --key cosign.pub

Types, by cosign's names or any other URI; fields that make a document one of its type are checked:
  slsaprovenance1                   https://slsa.dev/provenance/v1
  slsaprovenance, slsaprovenance02  https://slsa.dev/provenance/v0.2
  spdxjson, spdx                    https://spdx.dev/Document
  cyclonedx                         https://cyclonedx.org/bom
  openvex                           https://openvex.dev/ns
  vuln                              https://cosign.sigstore.dev/attestation/vuln/v1
  link                              https://in-toto.io/Link/v1
  custom                            https://cosign.sigstore.dev/attestation/v1 (any text)

Where the identity token comes from: `weir sign --help`.
Exit codes: 0 attested, 1 not attested, 2 wrong usage; a missing password or token is wrong usage.";

/// State something about an artifact, signed with a key or an identity, as cosign does
///
/// The statement (in-toto, in a signed envelope) is stored beside the artifact, where `weir verify --type` and cosign's
/// `verify-attestation` find it. A document that is not of its type is refused with the place in it, and nothing is
/// stored. A tag is resolved first; name the digest wherever you know it. Prints what it is about.
///
/// An artifact that is signed in cosign's older layout (`weir sign --legacy`) wants its attestations there, too: beside a
/// bundle, signatures of the older layout do not count, in cosign and Flux neither.
///
/// With `--keyless`, a certificate for the identity of a token, a log entry and a timestamp are fetched from Sigstore's
/// services, and the attestation is verified before it is stored. The identity and the digest of the statement are then
/// in the log for good; the log of the public-good instance is public.
#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub(crate) struct Attest {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    make: Option<make::Make>,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::List),
    Download(download::Download),
}

impl Attest {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        match (self.command, self.make) {
            (Some(Command::List(command)), _) => command.run(cx).await,
            (Some(Command::Download(command)), _) => command.run(cx).await,
            (None, Some(make)) => make.run(cx).await,
            (None, None) => Err(CommandError::usage("there is nothing to attest")
                .hint("name the artifact, `--type` and `--predicate`; see `weir attest --help`")),
        }
    }
}

/// Reads one of cosign's names for a type, or a URI.
pub(crate) fn read_type(text: &str) -> std::result::Result<PredicateType, String> {
    text.parse()
        .map_err(|error: weir_verify::InvalidPredicateType| error.to_string())
}

/// Fetches the attestations of what a reference points to.
pub(crate) async fn fetch(
    client: &weir_registry::Client,
    reference: &weir_oci::Reference,
) -> Result<(Target, SignatureSet)> {
    let digest = client.resolve(reference).await?.digest;
    let target = Target::new(reference.repository().clone(), digest);
    let found = find_attestations(client, &target)
        .await
        .map_err(|error| CommandError::caused(Kind::Outside, "cannot look for attestations", &error))?;
    Ok((target, found))
}

/// An attestation as somebody stored it, with what it claims; nothing of it is verified.
struct Claim<'s> {
    layout: weir_verify::Layout,
    source: weir_oci::Digest,
    content: &'s [u8],
    statement: std::result::Result<Statement, Rejection>,
}

/// All that was found.
fn claims(set: &SignatureSet) -> Vec<Claim<'_>> {
    let bundles = set.bundles.iter().map(|found| Claim {
        layout: weir_verify::Layout::Bundle,
        source: found.manifest,
        content: &found.content,
        statement: found.unverified_statement(),
    });
    let older = set.attestations.iter().map(|found| Claim {
        layout: weir_verify::Layout::LegacyAttestation,
        source: found.layer,
        content: &found.content,
        statement: found.unverified_statement(),
    });
    bundles.chain(older).collect()
}
