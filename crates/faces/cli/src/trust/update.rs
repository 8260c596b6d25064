//! `weir trust update`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};
use url::Url;
use weir_redact::redact_url;
use weir_registry::PlainHttp;
use weir_trust::{
    CallError, FolderMirror, HttpMirror, Known, Mirror, MirrorError, PUBLIC_GOOD_MIRROR, RefreshError,
    Refreshed, State, Versions, Written, public_good_tuf_root, refresh,
};

use crate::global::Context;
use crate::output::{Shape, print_value};
use crate::{CommandError, Exit, Kind, remote, run::Result};

/// The folder of TUF's own documents, in that of the documents that they list.
pub(super) const METADATA: &str = "tuf";

/// The document for those who sign, in the folder of the documents.
const SIGNING_CONFIG: &str = "signing_config.json";

const EXAMPLES: &str = "\
Examples:
  weir trust update
  weir trust update --dir sigstore --output json
  weir trust update --mirror https://tuf.example --root root.json
  weir trust update --from /media/tuf-mirror

What verifies with it, here and in a cluster:
  weir verify oci://registry.example/apps:latest --trusted-root trust/trusted_root.json ...
  kubectl create secret generic sigstore-root --from-file=trust/trusted_root.json \\
    -n flux-system --dry-run=client -o yaml | kubectl apply -f -";

/// Get the newest trust root and signing configuration of a Sigstore instance, never an older one
///
/// Asks a repository of The Update Framework, Sigstore's public-good instance or one of your own, and writes
/// `trusted_root.json`, and `signing_config.json` where there is one. Everything is verified beginning with a root that is
/// pinned: the mirror, and the network, need not be trusted.
///
/// What was seen stays in the folder `tuf` beside the files, so that the next update notices a mirror that goes back. Keep it: with
/// an empty folder everything that is signed and has not ended counts as new. Nothing in weir does this by itself, and
/// controllers never do.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Update {
    /// Where to write the files
    #[arg(long, value_name = "DIR", default_value = "trust")]
    dir: PathBuf,
    /// Address of the repository's mirror [default: Sigstore's public-good instance]
    #[arg(long, value_name = "URL", conflicts_with = "from")]
    mirror: Option<Url>,
    /// Folder with a copy of the mirror, for where there is no network
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// The repository's root to begin with, from somebody you trust [default: the one that was reached before; at first
    /// that of Sigstore's public-good instance]
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// Authorities that vouch for the mirror's server, besides those of this machine
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    ca_file: Option<PathBuf>,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Shape,
}

impl Update {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let metadata = self.dir.join(METADATA);
        let _held = Known::lock(&metadata).map_err(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock => {
                let message = format!("another update of {} is under way", self.dir.display());
                CommandError::new(Kind::Outside, message)
                    .hint("wait until it has ended, and run the command again")
            }
            _ => CommandError::file("write to", &metadata, &error),
        })?;
        let mut known = Known::read(&metadata)
            .map_err(|error| CommandError::file("read what is known in", &metadata, &error))?;
        let root = match &self.root {
            Some(path) => std::fs::read(path)
                .map_err(|error| CommandError::file("read the repository's root", path, &error))?,
            None => known.root().unwrap_or(public_good_tuf_root()).to_vec(),
        };
        let mirror = self.mirror(cx)?;
        let now = cx.io.now();
        let work = async { Ok(refresh(mirror, &root, &mut known, now).await) };
        let done = cx.in_time("asking the mirror", work).await?;
        // Also after a failure: what was seen on the way must not be forgotten.
        known
            .write(&metadata)
            .map_err(|error| CommandError::file("write what is known to", &metadata, &error))?;
        let refreshed = done.map_err(|error| self.explain(&error))?;
        let (root, config) = refreshed
            .write(&self.dir)
            .map_err(|error| CommandError::file("write the documents to", &self.dir, &error))?;
        self.print(cx, &refreshed, &root, config.as_ref())
    }

    fn mirror(&self, cx: &Context<'_>) -> Result<Arc<dyn Mirror>> {
        if let Some(folder) = &self.from {
            if !folder.is_dir() {
                return Err(CommandError::user(format!(
                    "there is no folder {}",
                    folder.display()
                )));
            }
            return Ok(Arc::new(FolderMirror::new(folder)));
        }
        let url = match &self.mirror {
            Some(url) => url.clone(),
            None => {
                Url::parse(PUBLIC_GOOD_MIRROR).map_err(|error| CommandError::of(Kind::Internal, &error))?
            }
        };
        let mut options = remote::options(cx, PlainHttp::Loopback)?;
        remote::add_authorities(&mut options, self.ca_file.as_deref())?;
        let mirror = HttpMirror::new(url, &options).map_err(|error| match error {
            MirrorError::Insecure(_) => CommandError::of(Kind::Usage, &error)
                .hint("use its https address, or copy it and name the folder with `--from`"),
            _ => CommandError::of(Kind::Config, &error),
        })?;
        Ok(Arc::new(mirror))
    }

    /// Where the documents come from.
    fn source(&self) -> String {
        match (&self.from, &self.mirror) {
            (Some(folder), _) => folder.display().to_string(),
            (None, Some(url)) => redact_url(url.as_str()),
            (None, None) => PUBLIC_GOOD_MIRROR.to_owned(),
        }
    }

    fn print(
        &self,
        cx: &mut Context<'_>,
        refreshed: &Refreshed,
        root: &Written,
        config: Option<&Written>,
    ) -> Result {
        let roles = [
            ("root", refreshed.root),
            ("targets", refreshed.targets),
            ("snapshot", refreshed.snapshot),
            ("timestamp", refreshed.timestamp),
        ];
        if self.output != Shape::Text {
            let mut value = json!({
                "mirror": self.source(),
                "metadata": self.dir.join(METADATA),
                "trustedRoot": file(root),
                "signingConfig": config.map(file),
            });
            for (name, versions) in roles {
                value[name] = version_data(&versions);
            }
            print_value(cx.io, &value, self.output == Shape::Yaml)?;
            return Ok(Exit::Success);
        }
        for (name, versions) in roles {
            cx.io.talk(&format!(
                "{name}: {}, good until {}",
                moved(&versions),
                versions.expires
            ));
        }
        if config.is_none() {
            let earlier = self.dir.join(SIGNING_CONFIG);
            cx.io.talk(&if earlier.exists() {
                format!(
                    "warning: the repository has no signing configuration any more; {} is of an earlier update",
                    earlier.display()
                )
            } else {
                "the repository has no signing configuration".to_owned()
            });
        }
        for written in [Some(root), config].into_iter().flatten() {
            cx.io
                .line(&format!("{} {}", written.path.display(), word(written.state)))?;
        }
        Ok(Exit::Success)
    }

    /// Why there is nothing new, and what to try.
    fn explain(&self, error: &RefreshError) -> CommandError {
        let failure = format!(
            "the trust root stays as it is: {} gave no better one",
            self.source()
        );
        let (kind, hint) = match error {
            RefreshError::Root(_) => (
                Kind::User,
                Some("`--root` names a root.json of the repository, as its owner gives it to you".to_owned()),
            ),
            RefreshError::OtherRoot { .. } => (
                Kind::User,
                Some(format!(
                    "use another `--dir` for another repository; {} belongs to the one seen before",
                    self.dir.display()
                )),
            ),
            RefreshError::Mirror(MirrorError::Call(CallError::Broken { .. })) => (
                Kind::Outside,
                Some("check the address, the network, HTTPS_PROXY and NO_PROXY, and `--ca-file`".to_owned()),
            ),
            RefreshError::Mirror(MirrorError::Lacking(_)) => (
                Kind::Outside,
                Some(
                    "a mirror is where `timestamp.json` and the folder `targets` are: the address, or the folder, right above them".to_owned(),
                ),
            ),
            RefreshError::Rollback { .. } => (
                Kind::Rejected,
                Some(
                    "the mirror is behind, or somebody leads you back: ask another mirror, and the repository's owner"
                        .to_owned(),
                ),
            ),
            RefreshError::Expired { .. } => (
                Kind::Rejected,
                Some(
                    "check this machine's clock; if it is right, the copy is too old, or somebody holds back newer ones"
                        .to_owned(),
                ),
            ),
            RefreshError::Signatures { .. } if self.root.is_none() => (
                Kind::Rejected,
                Some(
                    "a repository other than Sigstore's public-good instance's begins with its own root: `--root`"
                        .to_owned(),
                ),
            ),
            RefreshError::Signatures { .. } | RefreshError::Untrusted(_) => (
                Kind::Rejected,
                Some("do not use what this mirror serves; tell the repository's owner".to_owned()),
            ),
            RefreshError::NoTrustedRoot => (
                Kind::User,
                Some("this is a repository of something else than Sigstore's documents".to_owned()),
            ),
            _ => (Kind::Outside, None),
        };
        let error = CommandError::caused(kind, failure, error);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

fn file(written: &Written) -> Value {
    json!({ "path": written.path, "state": word(written.state) })
}

const fn word(state: State) -> &'static str {
    match state {
        State::New => "new",
        State::Changed => "changed",
        State::Unchanged => "unchanged",
    }
}

fn version_data(versions: &Versions) -> Value {
    json!({
        "before": versions.before,
        "version": versions.now,
        "expires": versions.expires.to_string(),
    })
}

fn moved(versions: &Versions) -> String {
    match versions.before {
        None => format!("version {}", versions.now),
        Some(before) if before == versions.now => format!("still version {before}"),
        Some(before) => format!("version {before} → {}", versions.now),
    }
}
