//! `weir publish`.

mod content;
mod documents;

use clap::Args;
use weir_oci::{Repository, Tag};
use weir_trust::{Clock, Enough, MoveError, SignOptions, sign_keyless};
use weir_verify::{Policy, StepKind, Target};

use content::{ContentArgs, Placed};
use documents::{Document, DocumentArgs};

use crate::global::Context;
use crate::moving::{self, MovingArgs, Outcome, OutputArgs, Wish};
use crate::remote::{Remote, read_repository};
use crate::signer::Signer;
use crate::{CommandError, Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir publish ./apps/frontend --to oci://ghcr.io/org/frontend --tag latest \\
    --key env://SIGNING_KEY --source URL --revision main@sha1:COMMIT
  weir publish ./apps/frontend --to oci://ghcr.io/org/frontend --diff-tag latest --tag v1.4.0 \\
    --keyless --reader-policy production-policy.yaml \\
    --certificate-identity https://github.com/org/apps/.github/workflows/push.yml@refs/heads/main \\
    --certificate-oidc-issuer https://token.actions.githubusercontent.com \\
    --sbom sbom.spdx.json --vex vex.json \\
    --output-file \"$GITHUB_OUTPUT\"

The order: push content and manifest by digest, sign, attest, make and store a signed record of each
move, verify all of it as readers will, look at the tag again, move it. A run that was cut leaves
tags where they were or moved whole, and the next one does what is missing. Two runs at once end in
one of the two.

Outputs, as data and in `--output-file`: pushed, moved, digest, digest-url, url, repository, tag.
Exit codes: 0 the tags name it, 1 not published, 2 wrong usage.";

/// Build, push, sign, attest, verify, and only then move the tags
///
/// The same content, source and revision give the same digest, so a second run pushes nothing, but still makes sure that
/// signature, attestations and records are there. With `--diff-tag`, content that is the one of that tag is not
/// pushed either, whatever its revision: the tags get the digest that is there.
///
/// What readers accept is by default the signer alone: its key, or the identity in its certificate. Clusters that accept
/// others say so with the reader options, and what they would refuse gets no tag.
///
/// In a job of GitHub or GitLab it also attests who built it, from which commit and in which run: SLSA provenance v1, once for what the
/// job built itself. What `--diff-tag` found is another run's.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Publish {
    #[command(flatten)]
    content: ContentArgs,
    /// Where to: oci://HOST/REPOSITORY
    #[arg(long = "to", value_name = "REPOSITORY", value_parser = read_repository)]
    repository: Repository,
    /// Tag to move; may be repeated
    #[arg(long = "tag", value_name = "TAG", required_unless_present = "diff_tag", value_delimiter = ',', value_parser = read_tag)]
    tags: Vec<Tag>,
    /// Push nothing if this tag has the same content; it is moved, too
    #[arg(long, value_name = "TAG", value_parser = read_tag)]
    diff_tag: Option<Tag>,
    #[command(flatten)]
    documents: DocumentArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    moving: MovingArgs,
    #[command(flatten)]
    remote: Remote,
}

/// A tag, with what to do about build metadata: its plus sign is in no tag, and only charts have a custom for it.
fn read_tag(text: &str) -> std::result::Result<Tag, String> {
    let tag: std::result::Result<Tag, weir_oci::InvalidTag> = text.parse();
    tag.map_err(|error| match text.replace('+', "_").parse::<Tag>() {
        Ok(other) if text.contains('+') => {
            format!(
                "{error}; a registry has no tag with `+`, so name {other} if that is what readers look for"
            )
        }
        _ => error.to_string(),
    })
}

impl Publish {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let repository = &self.repository;
        // All that can be wrong here is found before anything is written.
        let documents = self.documents.read(cx)?;
        let built = self.content.build(cx)?;
        let signer = self.moving.signer(cx, &self.remote).await?;
        let policy = self.moving.policy(cx, &signer).await?;
        let demands = self.moving.demands(cx, repository).await?;
        let client = self.remote.client(cx, repository)?;
        let clock = cx.io.clock();

        let work = built.push(&client, repository, self.diff_tag.as_ref());
        let Placed { digest, pushed, ours } = cx.in_time("pushing the artifact", work).await?;
        let target = Target::new(repository.clone(), digest);
        cx.io.talk(&if pushed {
            format!("pushed oci://{target}, not yet under a tag of this run")
        } else {
            format!("oci://{target} is there already")
        });
        let failed = |error: MoveError| -> CommandError {
            self.moving.explain(format!("cannot publish {target}"), &error)
        };
        let (policy, is_signed) = if let Some(policy) = policy {
            (policy, false)
        } else {
            // What this signer has signed before need not be signed again.
            let likely = self.moving.likely_policy(&signer)?;
            let signed = async {
                let Some(policy) = likely else { return Ok(None) };
                let mover = moving::mover(&client, &signer, (&policy, &demands), &clock);
                let signed = Box::pin(mover.is_signed(&target)).await.map_err(failed)?;
                Ok(signed.then_some(policy))
            };
            let policy = match cx.in_time("looking for a signature", signed).await? {
                Some(policy) => policy,
                None => self.sign_first(cx, &client, &target, &signer, &clock).await?,
            };
            (policy, true)
        };
        let mover = moving::mover(&client, &signer, (&policy, &demands), &clock);
        if !is_signed {
            let work = async { Box::pin(mover.sign(&target)).await.map_err(failed) };
            if cx.in_time("signing", work).await? {
                cx.io.talk("signed");
            }
        }
        for document in &documents {
            self.attest(cx, &mover, &target, document, Enough::Same).await?;
        }
        if ours && self.documents.is_of_job() {
            match documents::of_job(cx, &signer, built.other_origin(cx.io)) {
                // What an earlier run of the job has built is the same.
                Ok(stated) => self.attest(cx, &mover, &target, &stated, Enough::Any).await?,
                Err(why) => cx.io.talk(&format!(
                    "no provenance: {why}; `--provenance FILE` attests one of yours"
                )),
            }
        }
        let mut tags = Vec::new();
        for tag in self.all_tags() {
            let wish = Wish {
                repository,
                tag,
                kind: StepKind::Publish,
                digest,
                from: None,
                release_hold: false,
            };
            let failure = format!("cannot move {repository}:{tag} to {digest}");
            let moved = self
                .moving
                .carry_out(cx, &mover, &wish, "moving the tag", failure);
            let moved = moved.await?;
            tags.push((tag.clone(), moved));
        }
        let outcome = Outcome {
            repository: repository.clone(),
            digest,
            pushed,
            tags,
        };
        outcome.print(cx, &self.output)?;
        Ok(Exit::Success)
    }

    fn all_tags(&self) -> Vec<&Tag> {
        let mut all: Vec<&Tag> = Vec::new();
        for tag in self.diff_tag.iter().chain(&self.tags) {
            if !all.contains(&tag) {
                all.push(tag);
            }
        }
        all
    }

    async fn attest(
        &self,
        cx: &mut Context<'_>,
        mover: &weir_trust::Mover<'_>,
        target: &Target,
        Document { kind, predicate }: &Document,
        enough: Enough,
    ) -> Result<()> {
        let work = async {
            let attested = Box::pin(mover.attest(target, kind.uri(), predicate, enough)).await;
            attested.map_err(|error| self.moving.explain(format!("cannot publish {target}"), &error))
        };
        if cx.in_time("attesting", work).await? {
            cx.io.talk(&match enough {
                Enough::Same => format!("attested {kind}"),
                Enough::Any => format!("attested {kind}, of this job"),
            });
        }
        Ok(())
    }

    /// Where nobody said who signs, the certificate of a new signature does.
    async fn sign_first(
        &self,
        cx: &mut Context<'_>,
        client: &weir_registry::Client,
        target: &Target,
        signer: &Signer,
        clock: &Clock,
    ) -> Result<Policy> {
        let Signer::Identity(holder) = signer else {
            return Err(CommandError::usage("nobody is to sign"));
        };
        let options = SignOptions::at(clock());
        let work = Box::pin(sign_keyless(
            client,
            target,
            &holder.keyless,
            &holder.token,
            &options,
        ));
        let work = async {
            work.await.map_err(|error| {
                let failure = format!("cannot sign {target}");
                self.moving.explain(failure, &MoveError::Sign(error))
            })
        };
        let signed = cx.in_time("signing", work).await?;
        cx.io
            .talk(&format!("signed {}", crate::trust::by(&signed.evidence)));
        self.moving.policy_of(&signed.evidence.signer)
    }
}
