//! `weir rollback`.

use clap::Args;
use weir_oci::{Digest, Repository, Tag};
use weir_trust::Mover;
use weir_verify::{Action, StepKind};

use crate::global::Context;
use crate::moving::{self, MovingArgs, Outcome, OutputArgs, Until, Wish};
use crate::remote::{Remote, read_repository};
use crate::{CommandError, Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir rollback oci://ghcr.io/org/apps --tag latest-stable --key cosign.key \\
    --reason 'checkout fails'
  weir rollback oci://ghcr.io/org/apps --tag latest-stable --until 24h \\
    --reason 'checkout fails' --key cosign.key
  weir rollback oci://ghcr.io/org/apps --tag latest-stable --to sha256:DIGEST \\
    --reason 'checkout fails' --keyless --certificate-identity alice@example.org \\
    --certificate-oidc-issuer https://accounts.example.org

What it goes back to must still be in the registry: records name the digests, so let no retention
rule remove manifests that are younger than the oldest version you may go back to, and their
signatures.
Exit codes: 0 the tag names it, 1 not rolled back, 2 wrong usage.";

/// Let a tag go back to what it named before, and hold back what it names now
///
/// The signed record says from what to what, by whom, when and why. Clusters that only go forward accept it, because its
/// number goes up. Until the hold ends, the digest that was rolled back from can't become this tag again;
/// anything else can. `weir promote --release-hold` ends a hold.
///
/// A tag that is rolled back already stays where it is: to go back further, name the digest.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Rollback {
    /// The repository: oci://HOST/REPOSITORY
    #[arg(value_name = "REPOSITORY", value_parser = read_repository)]
    repository: Repository,
    /// The tag
    #[arg(long, value_name = "TAG")]
    tag: Tag,
    /// Where to: a digest or a tag in the repository, or `previous`, what the tag named before
    #[arg(long, value_name = "DIGEST|TAG|previous", default_value = "previous")]
    to: String,
    /// When the hold ends by itself: a time, or how long from now, such as 24h [default: when it is released]
    #[arg(long, value_name = "TIME", value_parser = moving::read_until)]
    until: Option<Until>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    moving: MovingArgs,
    #[command(flatten)]
    remote: Remote,
}

impl Rollback {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        if self.moving.reason.is_none() {
            return Err(CommandError::usage("a rollback needs a reason")
                .hint("say why with `--reason`: it is what others will see when the hold stops them"));
        }
        let until = self.until.map(|until| until.from(cx.io.now())).transpose()?;
        let (repository, tag) = (&self.repository, &self.tag);
        let signer = self.moving.signer(cx, &self.remote).await?;
        let policy = self.moving.known_policy(cx, &signer).await?;
        let demands = self.moving.demands(cx, repository).await?;
        let client = self.remote.client(cx, repository)?;
        let clock = cx.io.clock();
        let mover = moving::mover(&client, &signer, (&policy, &demands), &clock);
        let digest = cx
            .in_time("looking for the earlier version", self.aim(&client, &mover))
            .await?;
        let wish = Wish {
            repository,
            tag,
            kind: StepKind::Rollback { until },
            digest,
            from: Some(&self.to),
            release_hold: false,
        };
        let work = self
            .moving
            .carry_out(cx, &mover, &wish, "rolling back", self.failure());
        let moved = work.await?;
        if let Some(rollback) = moved.record.get().promotion.holds().first() {
            for blocked in &rollback.hold.blocked {
                cx.io.talk(&format!("{blocked}: {rollback}"));
            }
        }
        let outcome = Outcome {
            repository: repository.clone(),
            digest,
            pushed: false,
            tags: vec![(tag.clone(), moved)],
        };
        outcome.print(cx, &self.output)?;
        Ok(Exit::Success)
    }

    fn failure(&self) -> String {
        format!("cannot roll back {}:{}", self.repository, self.tag)
    }

    /// Where to go back to.
    async fn aim(&self, client: &weir_registry::Client, mover: &Mover<'_>) -> Result<Digest> {
        if self.to != "previous" {
            let reference = moving::reference(&self.repository, &self.to)?;
            return Ok(client.resolve(&reference).await?.digest);
        }
        let state = mover.look(&self.repository, &self.tag).await;
        let state = state.map_err(|error| self.moving.explain(self.failure(), &error))?;
        let Some(record) = state.record else {
            let what = match state.digest {
                Some(digest) => format!("there is no record of what {} named before {digest}", self.tag),
                None => format!("there is no tag {} in {}", self.tag, self.repository),
            };
            return Err(CommandError::user(what).hint(
                "name the digest to go back to with `--to`; tags that `weir publish` and `weir promote` move have \
                 records",
            ));
        };
        // A run that is repeated must not go back twice.
        if matches!(record.promotion.action, Action::Rollback(_)) {
            return Ok(record.digest);
        }
        record.promotion.previous.ok_or_else(|| {
            CommandError::user(format!("{} named nothing before {}", self.tag, record.digest))
                .hint("name the digest to go back to with `--to`")
        })
    }
}
