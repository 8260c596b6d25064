//! `weir promote`.

use clap::Args;
use weir_oci::{Repository, Tag};
use weir_verify::StepKind;

use crate::global::Context;
use crate::moving::{self, MovingArgs, Outcome, OutputArgs, Wish};
use crate::remote::{Remote, read_repository};
use crate::{Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir promote oci://ghcr.io/org/apps --from latest --to latest-stable --key env://SIGNING_KEY
  weir promote oci://ghcr.io/org/apps --from sha256:DIGEST --to latest-stable --keyless \\
    --certificate-identity https://github.com/org/apps/.github/workflows/rel.yml@refs/heads/main \\
    --certificate-oidc-issuer https://token.actions.githubusercontent.com \\
    --reason 'release 1.4'
  weir promote oci://ghcr.io/org/apps --from v1.4.0 --to latest-stable --key cosign.key \\
    --release-hold
  weir promote oci://ghcr.io/org/apps --from latest --to latest-stable --key cosign.key \\
    --reader-policy production-policy.yaml
  weir promote oci://ghcr.io/org/apps --from latest --to latest-stable --key cosign.key \\
    --reader-cluster production -n apps

The order: verify the source with the readers' policy, make and store a signed record of the
promotion beside it, verify both as readers will, look at the tag again, move it. A run that was cut
is finished by the next one.
Exit codes: 0 the tag names it, 1 not promoted, 2 wrong usage.";

/// Let a tag name what another one names: the same digest, with a signed record of it
///
/// The record says which digest, by whom, from where, when, and what the tag named before. Its number goes up with each
/// move of the tag, so that clusters notice one that went backwards. A digest that `weir rollback` holds back is refused.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Promote {
    /// The repository: oci://HOST/REPOSITORY
    #[arg(value_name = "REPOSITORY", value_parser = read_repository)]
    repository: Repository,
    /// What to promote: a tag or a digest in the repository
    #[arg(long, value_name = "TAG|DIGEST")]
    from: String,
    /// The tag that is to name it; may be repeated
    #[arg(long = "to", value_name = "TAG", required = true, value_delimiter = ',')]
    tags: Vec<Tag>,
    /// End the hold of an earlier rollback on this digest, and say so in the record
    #[arg(long)]
    release_hold: bool,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    moving: MovingArgs,
    #[command(flatten)]
    remote: Remote,
}

impl Promote {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let repository = &self.repository;
        let reference = moving::reference(repository, &self.from)?;
        let signer = self.moving.signer(cx, &self.remote).await?;
        let policy = self.moving.known_policy(cx, &signer).await?;
        let demands = self.moving.demands(cx, repository).await?;
        let client = self.remote.client(cx, repository)?;
        let clock = cx.io.clock();
        let mover = moving::mover(&client, &signer, (&policy, &demands), &clock);
        let digest = cx
            .in_time("resolving the source", async {
                Ok(client.resolve(&reference).await?.digest)
            })
            .await?;
        let mut tags = Vec::new();
        for tag in &self.tags {
            let wish = Wish {
                repository,
                tag,
                kind: StepKind::Promote,
                digest,
                from: Some(&self.from),
                release_hold: self.release_hold,
            };
            let failure = format!("cannot promote {digest} to {repository}:{tag}");
            let moved = self.moving.carry_out(cx, &mover, &wish, "promoting", failure);
            let moved = moved.await?;
            tags.push((tag.clone(), moved));
        }
        let outcome = Outcome {
            repository: repository.clone(),
            digest,
            pushed: false,
            tags,
        };
        outcome.print(cx, &self.output)?;
        Ok(Exit::Success)
    }
}
