//! Trust roots and signing configurations as The Update Framework (TUF 1.0) hands them out: from a mirror that need not be
//! trusted, and never older than what was seen before.
//!
//! [`refresh`] begins with a root that somebody pinned and with what earlier refreshes have left ([`Known`]), asks a [`Mirror`]
//! for what is new, and gives the documents as they are listed today. Verifying takes no time and no file but those that it is
//! given. The client's workflow (section 5 of the specification) is the crate `sigstore-tuf`'s, without its network half; what it
//! leaves out is done here:
//!
//! - a key that stands under several ids counts once: such lists are refused ([`keys`]);
//! - what was learnt is kept also when the refresh fails halfway, so that the next one cannot be led behind it;
//! - a folder that holds another repository's documents is not taken over;
//! - documents that this workspace could not use are refused, and the old ones stay.

mod keys;
mod known;
mod mirror;
mod written;

use std::error::Error as StdError;
use std::sync::Arc;

use jiff::Timestamp;
use sigstore_tuf::{Error, Role, Updater, UpdaterConfig};
use weir_verify::{InvalidTrustRoot, TrustRoot};

use crate::keyless::{InvalidSigningConfig, SigningConfig};
use known::Kept;
use mirror::Guarded;

pub use known::{Known, Seen};
pub use mirror::{FolderMirror, HttpMirror, Mirror, MirrorError};
pub use written::{State, Written};

/// Where Sigstore's public-good instance hands out its trust root.
pub const PUBLIC_GOOD_MIRROR: &str = "https://tuf-repo-cdn.sigstore.dev";

/// The root of that repository, as shipped.
const PUBLIC_GOOD_ROOT: &[u8] = include_bytes!("../data/tuf_root.json");

/// The names under which Sigstore's repositories list the documents.
const TRUSTED_ROOT: &str = "trusted_root.json";
const SIGNING_CONFIG: &str = "signing_config.v0.2.json";

/// The longest document that is read, in bytes; as long as a trust root may be.
const MAX_TARGET_BYTES: u64 = 1 << 20;

/// The root of the public-good instance's repository, as shipped with weir: a refresh begins with it where nothing newer is known.
pub const fn public_good_tuf_root() -> &'static [u8] {
    PUBLIC_GOOD_ROOT
}

/// What a refresh gave.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refreshed {
    /// The repository's root.
    pub root: Versions,
    /// Its list of documents.
    pub targets: Versions,
    /// Its statement of which lists are the newest.
    pub snapshot: Versions,
    /// Its statement of which snapshot is the newest, which lives shortest: when it ends, somebody must have made a new one.
    pub timestamp: Versions,
    /// The trust root, as it was handed out.
    pub trusted_root: Vec<u8>,
    /// The signing configuration; nothing where the repository has none.
    pub signing_config: Option<Vec<u8>>,
}

/// From which version to which, and until when the latter is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Versions {
    /// The version that was known before; nothing for the first time.
    pub before: Option<u64>,
    /// The version now.
    pub now: u64,
    /// When it ends.
    pub expires: Timestamp,
}

/// Why there is nothing new. The documents that are there stay.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// The root to begin with is no root of a repository, or not signed by its own keys.
    #[error("root to begin with cannot be used")]
    Root(#[source] Box<Error>),
    /// What is known is of a repository to which the root to begin with does not lead.
    #[error("what is known here is of version {known} of another root")]
    OtherRoot {
        /// The version of the root that is known.
        known: u64,
    },
    /// The mirror cannot be asked, or its answer cannot be used.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// The mirror has older documents than were seen before, or has replaced one under the same version.
    #[error("mirror went back: {role} has version {offered}, and version {known} was seen before")]
    Rollback {
        /// Which document.
        role: String,
        /// The version seen before.
        known: u64,
        /// The mirror's version.
        offered: u64,
    },
    /// A document ended, and the mirror has no newer one.
    #[error("{role} of the repository has ended on {ended}, and the mirror has no newer one")]
    Expired {
        /// Which document.
        role: String,
        /// When it ended.
        ended: Timestamp,
    },
    /// Too few of the keys of a document's role have signed it.
    #[error("{role} is signed by {found} of its keys, and {wanted} must sign")]
    Signatures {
        /// Which document.
        role: String,
        /// How many good signatures it has.
        found: usize,
        /// How many it needs.
        wanted: usize,
    },
    /// Anything else that is wrong with what the mirror serves.
    #[error("mirror serves what is not to be trusted")]
    Untrusted(#[source] Box<dyn StdError + Send + Sync>),
    /// The repository lists no trust root.
    #[error("repository lists no {TRUSTED_ROOT}")]
    NoTrustedRoot,
    /// The trust root is signed by the repository and cannot be used.
    #[error("{TRUSTED_ROOT} of the repository cannot be used")]
    TrustedRoot(#[source] InvalidTrustRoot),
    /// The signing configuration is signed by the repository and cannot be used.
    #[error("{SIGNING_CONFIG} of the repository cannot be used")]
    SigningConfig(#[source] InvalidSigningConfig),
}

impl From<Error> for RefreshError {
    fn from(error: Error) -> Self {
        match error {
            Error::Rollback { role, trusted, new } => Self::Rollback {
                role,
                known: trusted,
                offered: new,
            },
            Error::BadRootVersion { trusted, new } if new <= trusted => Self::Rollback {
                role: "root".to_owned(),
                known: trusted,
                offered: new,
            },
            Error::Expired { role, expires } => Self::Expired { role, ended: expires },
            Error::ThresholdNotMet {
                role,
                found,
                threshold,
            } => Self::Signatures {
                role,
                found,
                wanted: threshold,
            },
            Error::Transport {
                message,
                source: Some(source),
            } => match source.downcast::<MirrorError>() {
                Ok(error) => Self::Mirror(*error),
                Err(source) => Self::Untrusted(format!("{message}: {source}").into()),
            },
            Error::Transport {
                message,
                source: None,
            } if message.ends_with("not found") => Self::Mirror(MirrorError::Lacking(message)),
            other => Self::Untrusted(Box::new(other)),
        }
    }
}

/// Brings `known` up to date from `mirror`, beginning with `root`, `now` being the time, and gives the documents.
///
/// `known` holds what was verified, whether this fails or not; keep it for the next refresh.
///
/// # Errors
/// See [`RefreshError`].
pub async fn refresh(
    mirror: Arc<dyn Mirror>,
    root: &[u8],
    known: &mut Known,
    now: Timestamp,
) -> Result<Refreshed, RefreshError> {
    keys::distinct(root).map_err(|why| RefreshError::Root(Box::new(Error::Malformed(why))))?;
    let mut config = UpdaterConfig::default();
    config.target_max_length = MAX_TARGET_BYTES;
    let before = known.clone();
    let kept = Kept::new(known.clone());
    let begin = |root: &[u8]| {
        let updater = Updater::new(Guarded::new(mirror.clone()), root);
        updater.map_err(|error| RefreshError::Root(Box::new(error)))
    };
    let updater = begin(root)?;
    let Some(version) = known.version("root.json") else {
        let mut updater = updater.with_config(config).with_store(kept.clone());
        let done = update(&mut updater, &before, now).await;
        let learnt = kept.into_known();
        // That somebody began with this root and got nowhere says nothing of whose folder it is.
        if done.is_ok() || !learnt.is_only(root) {
            *known = learnt;
        }
        return done;
    };
    if !known.follows(root) {
        return Err(RefreshError::OtherRoot { known: version });
    }
    // A root that is newer than all that is known is another repository's, unless what is known leads there.
    let (updater, ahead) = match known.root() {
        Some(reached) if known.is_behind(root) => (begin(reached)?, true),
        _ => (updater, false),
    };
    let mut updater = updater.with_config(config).with_store(kept.clone());
    let done = update(&mut updater, &before, now).await;
    *known = kept.into_known();
    match done {
        Err(RefreshError::Signatures { role, .. }) if ahead && role == "root" => {
            Err(RefreshError::OtherRoot { known: version })
        }
        Ok(_) if ahead && known.is_behind(root) => Err(RefreshError::Rollback {
            role: "root".to_owned(),
            known: known::version_of(root).unwrap_or_default(),
            offered: known.version("root.json").unwrap_or_default(),
        }),
        Ok(_) if ahead && !known.follows(root) => Err(RefreshError::OtherRoot { known: version }),
        done => done,
    }
}

async fn update(updater: &mut Updater, before: &Known, now: Timestamp) -> Result<Refreshed, RefreshError> {
    if let Some(known) = before.version("root.json")
        && updater.trusted().root().version < known
    {
        return Err(RefreshError::OtherRoot { known });
    }
    updater.refresh(now).await?;
    let trusted_root = target(updater, TRUSTED_ROOT, now).await?;
    let trusted_root = trusted_root.ok_or(RefreshError::NoTrustedRoot)?;
    TrustRoot::from_json(&trusted_root).map_err(RefreshError::TrustedRoot)?;
    let signing_config = target(updater, SIGNING_CONFIG, now).await?;
    if let Some(json) = &signing_config {
        SigningConfig::from_json(json).map_err(RefreshError::SigningConfig)?;
    }
    let trusted = updater.trusted();
    let lacking = |role: &str| RefreshError::Mirror(MirrorError::Lacking(format!("{role}.json not found")));
    Ok(Refreshed {
        root: versions(before, "root.json", trusted.root()),
        targets: versions(
            before,
            "targets.json",
            trusted
                .targets_role("targets")
                .ok_or_else(|| lacking("targets"))?,
        ),
        snapshot: versions(
            before,
            "snapshot.json",
            trusted.snapshot().ok_or_else(|| lacking("snapshot"))?,
        ),
        timestamp: versions(
            before,
            "timestamp.json",
            trusted.timestamp().ok_or_else(|| lacking("timestamp"))?,
        ),
        trusted_root,
        signing_config,
    })
}

async fn target(updater: &mut Updater, name: &str, now: Timestamp) -> Result<Option<Vec<u8>>, RefreshError> {
    let Some(listed) = updater.get_target_info(name, now).await? else {
        return Ok(None);
    };
    Ok(Some(updater.download_target(&listed, name).await?))
}

fn versions(before: &Known, name: &str, role: &impl Role) -> Versions {
    Versions {
        before: before.version(name),
        now: role.version(),
        expires: role.expires(),
    }
}
