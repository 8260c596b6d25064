//! What `weir publish`, `weir promote` and `weir rollback` share: who signs, who reads, and what is printed.

mod outputs;
mod readers;

use clap::Args;
use jiff::Timestamp;
use weir_oci::{Digest, Repository, Tag};
use weir_registry::Client;
use weir_trust::{Clock, MoveError, Moved, Mover};
use weir_verify::{Demands, Policy, StepKind, StepRefused};

pub(crate) use outputs::{Outcome, OutputArgs};
use readers::ReaderArgs;

use crate::global::Context;
use crate::remote::Remote;
use crate::signer::{Signer, SignerArgs};
use crate::{CommandError, Kind, run::Result};

/// Where the name of whoever moves a tag comes from, the first that is set.
const NAMES: [&str; 4] = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "USERNAME"];

/// Options of commands that move tags.
#[derive(Debug, Args)]
pub(crate) struct MovingArgs {
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Who, for the record; the signature is what counts [default: `$GITHUB_ACTOR`, `$GITLAB_USER_LOGIN`, `$USER`]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Give the record at least this number; for a tag whose last record is lost, when readers say that it went
    /// backwards
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    sequence: u64,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    readers: ReaderArgs,
}

/// What is asked of one tag.
pub(crate) struct Wish<'w> {
    pub(crate) repository: &'w Repository,
    pub(crate) tag: &'w Tag,
    pub(crate) kind: StepKind,
    pub(crate) digest: Digest,
    pub(crate) from: Option<&'w str>,
    pub(crate) release_hold: bool,
}

impl MovingArgs {
    pub(crate) async fn signer(&self, cx: &mut Context<'_>, remote: &Remote) -> Result<Signer> {
        self.signer.read(cx, remote).await
    }

    /// What readers ask, as far as the options tell.
    pub(crate) async fn policy(&self, cx: &mut Context<'_>, signer: &Signer) -> Result<Option<Policy>> {
        self.readers.policy(cx, &self.signer, signer).await
    }

    /// What the policies of the readers' clusters ask besides, as the options say.
    pub(crate) async fn demands(&self, cx: &mut Context<'_>, repository: &Repository) -> Result<Demands> {
        self.readers.demands(cx, repository).await
    }

    /// What readers ask, as far as the token in hand tells: a signature by the identity that it names.
    pub(crate) fn likely_policy(&self, signer: &Signer) -> Result<Option<Policy>> {
        readers::likely_policy(&self.signer, signer)
    }

    /// What readers ask, where nothing is signed before it is needed: as the options tell, or else the token.
    pub(crate) async fn known_policy(&self, cx: &mut Context<'_>, signer: &Signer) -> Result<Policy> {
        let policy = match self.policy(cx, signer).await? {
            Some(policy) => Some(policy),
            None => self.likely_policy(signer)?,
        };
        policy.ok_or_else(|| {
            CommandError::usage("it is not known whose signatures readers accept").hint(
                "name the identity with `--certificate-identity` and `--certificate-oidc-issuer`, or with \
                 `--reader-identity` and `--reader-issuer`",
            )
        })
    }

    /// What readers ask when nothing was said: a signature by whoever has just signed.
    pub(crate) fn policy_of(&self, signer: &weir_verify::Signer) -> Result<Policy> {
        readers::policy_of(&self.signer, signer)
    }

    /// Moves a tag, and says what became of it. `doing` names the work while it lasts, `failure` what did not come about.
    pub(crate) async fn carry_out(
        &self,
        cx: &mut Context<'_>,
        mover: &Mover<'_>,
        wish: &Wish<'_>,
        doing: &str,
        failure: String,
    ) -> Result<Moved> {
        let step = self.step(cx, wish);
        let work = async {
            let moved = Box::pin(mover.run(&step)).await;
            moved.map_err(|error| self.explain(failure, &error))
        };
        let moved = cx.in_time(doing, work).await?;
        tell(cx, wish.tag, &moved);
        Ok(moved)
    }

    /// The step that a wish is.
    fn step(&self, cx: &Context<'_>, wish: &Wish<'_>) -> weir_verify::Step {
        let by = NAMES.iter().find_map(|name| cx.io.env(name));
        weir_verify::Step {
            repository: wish.repository.clone(),
            tag: wish.tag.clone(),
            digest: wish.digest,
            kind: wish.kind.clone(),
            from: wish.from.map(str::to_owned),
            by: self.by.as_deref().or(by).unwrap_or("unknown").to_owned(),
            reason: self.reason.clone(),
            release_hold: wish.release_hold,
            at_least: self.sequence,
        }
    }

    /// Why it failed, and what to try.
    pub(crate) fn explain(&self, failure: String, error: &MoveError) -> CommandError {
        match error {
            MoveError::Sign(error) => self.signer.explain(failure, error),
            MoveError::NotVerified { .. } | MoveError::NoRecord { .. } => {
                CommandError::caused(Kind::Rejected, failure, error).hint(
                    "no tag was moved; sign as somebody whom the readers accept, or say whom they accept with \
                     `--reader-key`, or `--reader-identity` and `--reader-issuer`",
                )
            }
            MoveError::OlderLayout { .. } => CommandError::caused(Kind::Rejected, failure, error).hint(
                "sign it with `weir sign` as somebody whom its readers accept, and run the command again; nothing was written",
            ),
            MoveError::NotAdmitted { .. } => CommandError::caused(Kind::Rejected, failure, error).hint(
                "no tag was moved; sign or attest what is missing (`weir sign`, `weir attest`), or correct the policy",
            ),
            MoveError::Refused(StepRefused::Held { .. }) => {
                CommandError::caused(Kind::Rejected, failure, error).hint(
                    "choose another artifact, or wait; `weir promote --release-hold` ends the hold, with a record",
                )
            }
            MoveError::Refused(_) | MoveError::Record { .. } => {
                CommandError::caused(Kind::Rejected, failure, error)
            }
            MoveError::Meanwhile(_) => CommandError::caused(Kind::Rejected, failure, error)
                .hint("look at what it names now, and run the command again if that is to go back, too"),
            MoveError::Move { source, .. } if !source.is_transient() => {
                CommandError::caused(Kind::Rejected, failure, error).hint(
                    "the artifact is complete under its digest, and this tag stays where it was; if the registry \
                     lets no tag be moved, give each version a tag of its own",
                )
            }
            _ => CommandError::caused(Kind::Outside, failure, error)
                .hint("run the command again: it does what is missing"),
        }
    }
}

/// Whoever moves tags, put together.
pub(crate) fn mover<'m>(
    client: &'m Client,
    signer: &'m Signer,
    (policy, demands): (&'m Policy, &'m Demands),
    clock: &'m Clock,
) -> Mover<'m> {
    Mover {
        client,
        signer: signer.as_port(),
        policy,
        demands,
        clock,
    }
}

/// Says what became of a tag.
fn tell(cx: &mut Context<'_>, tag: &Tag, moved: &Moved) {
    let record = moved.record.get();
    let (number, digest) = (record.promotion.sequence, record.digest);
    let by = crate::trust::by(moved.record.evidence());
    if moved.moved {
        cx.io
            .talk(&format!("{tag} names {digest} now, record {number} {by}"));
    } else {
        cx.io
            .talk(&format!("{tag} names {digest} already, record {number} {by}"));
    }
    if let Some(earlier) = moved.again {
        cx.io.talk(&format!(
            "warning: {tag} was to name {digest} before, by record {earlier}, and had gone on since; to go back on purpose use \
             `weir rollback --to`, which says so in its record and holds back the other"
        ));
    }
    for concern in &moved.concerns {
        cx.io.talk(&format!(
            "warning: would be refused by policy '{}', which is only audited: {concern}",
            concern.rule
        ));
    }
    if let Some(other) = moved.overtaken_by {
        cx.io.talk(&format!(
            "warning: somebody else moved {tag} on to {other} right after"
        ));
    }
}

/// Reads a time: RFC 3339, or how long from now, such as 24h.
pub(crate) fn read_until(text: &str) -> std::result::Result<Until, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(Until::Time(time));
    }
    let duration = crate::global::read_duration(text)
        .map_err(|_| "expected a time such as 2026-12-01T00:00:00Z, or a duration such as 24h".to_owned())?;
    Ok(Until::After(duration))
}

/// When something ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    Time(Timestamp),
    After(std::time::Duration),
}

impl Until {
    pub(crate) fn from(self, now: Timestamp) -> Result<Timestamp> {
        let until = match self {
            Self::Time(time) => Some(time),
            Self::After(duration) => now.checked_add(duration).ok(),
        };
        until.filter(|until| *until > now).ok_or_else(|| {
            CommandError::usage("the hold would end before it begins").hint("give a later `--until`")
        })
    }
}

/// A tag or a digest in a repository.
pub(crate) fn reference(repository: &Repository, text: &str) -> Result<weir_oci::Reference> {
    if let Ok(digest) = text.parse::<Digest>() {
        return Ok(repository.at_digest(digest));
    }
    match text.parse::<Tag>() {
        Ok(tag) => Ok(repository.at_tag(tag)),
        Err(error) => Err(CommandError::of(Kind::Usage, &error).hint("name a tag, or a digest: sha256:…")),
    }
}
