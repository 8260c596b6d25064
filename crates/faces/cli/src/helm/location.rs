//! Charts elsewhere: in registries, in repositories with an index, behind an address. Options are named as Helm's.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use url::Url;
use weir_charts::{
    Answer, FetchError, Login, MAX_ARCHIVE, MAX_INDEX, MAX_PROVENANCE, RegistryError, Repository, UrlError,
    Web, pull, tag_of, version_of,
};
use weir_helm::{Ahead, Chart, Index, NotFound, highest_tag, is_range};
use weir_oci::{Digest, Reference, Tag};
use weir_redact::SecretString;
use weir_registry::{Client, ClientIdentity, ClientOptions, Credential, Keychain, PlainHttp};
use weir_semver::Version;

use super::source::{self, Tgz};
use crate::global::Context;
use crate::output::put;
use crate::{CommandError, Kind, remote, run::Result};

/// The longest time for one download, as in Helm.
pub(super) const PATIENCE: Duration = Duration::from_mins(2);

/// What Helm says where a tag has `_`.
const UNDERSCORE: &str = "
OCI artifact references (e.g. tags) do not support the plus sign (+). To support
storing semantic versions, Helm adopts the convention of changing plus (+) to
an underscore (_) in chart version tags when pushing to a registry and back to
a plus (+) when pulling from a registry.";

/// Who asks, and which certificates count.
#[derive(Debug, Default, Args)]
pub(super) struct Asking {
    /// User name for the repository or registry
    #[arg(long, value_name = "NAME", help_heading = "Registry options")]
    username: Option<String>,
    /// Password for it
    #[arg(long, value_name = "PASSWORD", help_heading = "Registry options")]
    password: Option<SecretString>,
    /// Certificate to show to the server
    #[arg(
        long,
        value_name = "FILE",
        hide_short_help = true,
        help_heading = "Registry options"
    )]
    cert_file: Option<PathBuf>,
    /// Its key
    #[arg(
        long,
        value_name = "FILE",
        hide_short_help = true,
        help_heading = "Registry options"
    )]
    key_file: Option<PathBuf>,
    /// Authorities that vouch for servers, besides those of this machine
    #[arg(
        long,
        value_name = "FILE",
        hide_short_help = true,
        help_heading = "Registry options"
    )]
    ca_file: Option<PathBuf>,
    /// Take any certificate of a server
    #[arg(long, hide_short_help = true, help_heading = "Registry options")]
    insecure_skip_tls_verify: bool,
    /// Allow plain HTTP where HTTPS does not answer; registries on this machine may always use it
    #[arg(long, hide_short_help = true, help_heading = "Registry options")]
    plain_http: bool,
}

/// Where a chart is, and which version of it is meant.
#[derive(Debug, Default, Args)]
pub(super) struct Location {
    /// Address of the repository that the chart is in
    #[arg(long, value_name = "URL")]
    repo: Option<String>,
    /// Version or range, such as 1.2.3 or ^1.2 [default: the highest that is no pre-release]
    #[arg(long, value_name = "RANGE")]
    version: Option<String>,
    /// Take pre-releases too, as with `--version '>0.0.0-0'`
    #[arg(long)]
    devel: bool,
    /// Send the credentials to other hosts too, where the repository names charts there
    #[arg(long, hide_short_help = true, help_heading = "Registry options")]
    pass_credentials: bool,
    #[command(flatten)]
    asking: Asking,
    #[arg(long, hide = true)]
    verify: bool,
    #[arg(long, hide = true, value_name = "FILE")]
    keyring: Option<PathBuf>,
}

/// A chart's archive from elsewhere.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) archive: Bytes,
    pub(super) provenance: Option<Bytes>,
    /// Name for a file.
    pub(super) name: String,
    /// What Helm prints about it.
    pub(super) said: String,
}

impl Asking {
    /// Options of a client for registries and repositories.
    pub(super) fn options(&self, cx: &Context<'_>) -> Result<ClientOptions> {
        let plain_http = if self.plain_http {
            PlainHttp::Any
        } else {
            PlainHttp::Loopback
        };
        let mut options = remote::options(cx, plain_http)?;
        let read = |path: &PathBuf| fs::read(path).map_err(|error| CommandError::file("read", path, &error));
        remote::add_authorities(&mut options, self.ca_file.as_deref())?;
        options.tls.identity = match (&self.cert_file, &self.key_file) {
            (Some(certificate), Some(key)) => Some(ClientIdentity {
                certificate: read(certificate)?,
                key: read(key)?.into(),
            }),
            (None, None) => None,
            _ => return Err(CommandError::usage("--cert-file and --key-file go together")),
        };
        options.tls.danger_accept_invalid_certificates = self.insecure_skip_tls_verify;
        Ok(options)
    }

    fn login(&self) -> Option<Login> {
        let (username, password) = (self.username.clone()?, self.password.clone()?);
        Some(Login { username, password })
    }

    /// A client for the registry of a repository.
    pub(super) fn client(&self, cx: &Context<'_>, repository: &weir_oci::Repository) -> Result<Client> {
        let keychain = match self.login() {
            Some(login) => {
                let credential = Credential::basic(login.username, login.password.expose().clone());
                Keychain::anonymous().with(repository.registry(), credential)
            }
            None => remote::docker(cx)?,
        };
        Ok(Client::new(self.options(cx)?)?.with_credentials(keychain))
    }
}

impl Location {
    fn version(&self) -> &str {
        match &self.version {
            Some(version) => version.trim(),
            None if self.devel => ">0.0.0-0",
            None => "",
        }
    }

    fn check(&self) -> Result<()> {
        if self.verify {
            return Err(super::no_provenance());
        }
        Ok(())
    }

    /// Whether a chart is not on this machine.
    pub(super) fn is_elsewhere(&self, name: &Path) -> bool {
        self.repo.is_some() || name.to_string_lossy().contains("://")
    }

    /// Loads a chart from this machine.
    pub(super) fn load_here(&self, name: &Path) -> Result<Chart> {
        self.check()?;
        source::load(name)
    }

    /// The same while work on it is begun elsewhere.
    pub(super) fn load_ahead(&self, name: &Path, ahead: &Ahead) -> Result<Chart> {
        self.check()?;
        source::load_ahead(name, ahead)
    }

    /// Loads a chart, from this machine or from elsewhere.
    pub(super) async fn load(&self, cx: &mut Context<'_>, name: &Path) -> Result<Chart> {
        if !self.is_elsewhere(name) {
            return self.load_here(name);
        }
        let text = name.to_string_lossy();
        let found = self.fetch(cx, text.trim(), false).await?;
        cx.io.print(&found.said)?;
        Chart::from_archive(&found.archive, &Tgz).map_err(|error| {
            CommandError::user(error.to_string()).hint(format!("look into what {text} gives"))
        })
    }

    /// Fetches a chart's archive: `oci://…`, an address, or a name in `--repo`.
    pub(super) async fn fetch(
        &self,
        cx: &mut Context<'_>,
        name: &str,
        with_provenance: bool,
    ) -> Result<Found> {
        self.check()?;
        if self.repo.is_none() && name.starts_with("oci://") {
            return self.in_registry(cx, name, with_provenance).await;
        }
        let options = self.asking.options(cx)?;
        let web = Web::new(&options, PATIENCE)?;
        let (repository, url) = match &self.repo {
            Some(repo) => self.in_repository(cx, &web, repo, name).await?,
            None if name.contains("://") => {
                let repository = self.repository(name)?;
                let url = repository.url().clone();
                (repository, url)
            }
            None => {
                return Err(CommandError::user(format!("{name} names neither a registry nor an address"))
                    .hint("write oci://HOST/REPOSITORY, an address that begins with https://, or a name with `--repo URL`"));
            }
        };
        let archive = web.archive(&url, &repository, MAX_ARCHIVE);
        let archive = cx.in_time("the download", async { Ok(archive.await?) }).await?;
        let provenance = if with_provenance {
            let mut beside = url.clone();
            beside.set_path(&format!("{}.prov", url.path()));
            match web.archive(&beside, &repository, MAX_PROVENANCE).await {
                Ok(content) => Some(content),
                Err(error) => {
                    let mut said = String::new();
                    put(
                        &mut said,
                        format_args!("WARNING: Verification not found for {name}: {error}"),
                    );
                    cx.io.talk(&said);
                    None
                }
            }
        } else {
            None
        };
        let file = url.path_segments().and_then(|mut parts| parts.next_back());
        Ok(Found {
            archive,
            provenance,
            name: file_name(file.unwrap_or_default())?,
            said: String::new(),
        })
    }

    fn repository(&self, url: &str) -> Result<Repository> {
        let repository = Repository::new(url)?;
        Ok(match self.asking.login() {
            Some(login) => repository.with_login(login, self.pass_credentials),
            None => repository,
        })
    }

    /// The archive's address in a repository.
    async fn in_repository(
        &self,
        cx: &mut Context<'_>,
        web: &Web,
        repo: &str,
        chart: &str,
    ) -> Result<(Repository, Url)> {
        let repository = self.repository(repo)?;
        let reading = async { read_index(web, &repository).await };
        let index = cx.in_time("the download of the index", reading).await?;
        let version = self.version();
        let what = match version {
            "" => format!("chart {chart:?}"),
            version => format!("chart {chart:?} version {version:?}"),
        };
        let entry = index.get(chart, version).map_err(|error| {
            let missing = CommandError::user(format!("{what} not found in {repo} repository"));
            match error {
                NotFound::Range(error) => missing.cause(error.to_string()),
                _ => missing,
            }
        })?;
        if !version.is_empty() && !is_range(version) && *entry.version != *version {
            cx.io.talk(&format!(
                "warning: there is no version {version} of {chart}; {} is taken",
                entry.version
            ));
        }
        let Some(address) = entry.urls.first() else {
            return Err(CommandError::user(format!("{what} has no downloadable URLs")));
        };
        let url = repository.resolve(address)?;
        Ok((repository, url))
    }

    async fn in_registry(&self, cx: &mut Context<'_>, name: &str, with_provenance: bool) -> Result<Found> {
        let (reference, written) = read_reference(name)?;
        let repository = reference.repository().clone();
        let client = self.asking.client(cx, &repository)?;
        let version = match (self.version(), written) {
            ("", Some(tag)) => tag,
            (version, Some(tag)) if tag != version => {
                return Err(CommandError::user(format!(
                    "chart reference and version mismatch: {version} is not {tag}"
                )));
            }
            (version, _) => version.to_owned(),
        };
        let choosing = choose(&client, &reference, &version);
        let (digest, tag) = cx.in_time("the look at the registry", choosing).await?;
        let pulling = async {
            let pulled = pull(&client, &repository, &digest, with_provenance, MAX_ARCHIVE).await?;
            Ok(pulled)
        };
        let pulled = cx.in_time("the download", pulling).await?;
        let reference = match &tag {
            Some(tag) => repository.at_tag(tag.clone()),
            None => repository.at_digest(digest),
        };
        let mut said = String::new();
        if pulled.is_legacy {
            said.push_str("Warning: chart media type application/tar+gzip is deprecated\n");
        }
        put(&mut said, format_args!("Pulled: {reference}\nDigest: {digest}\n"));
        said.push_str(&about_underscores(&reference));
        let last = repository.path().rsplit('/').next().unwrap_or_default();
        let name = match &tag {
            Some(tag) => format!("{last}-{}.tgz", version_of(tag.as_str())),
            None => format!("{last}@sha256-{}.tgz", digest.hex()),
        };
        Ok(Found {
            archive: pulled.archive,
            provenance: pulled.provenance,
            name: file_name(&name)?,
            said,
        })
    }
}

/// What Helm says about a reference whose tag has `_`.
pub(super) fn about_underscores(reference: &Reference) -> String {
    let text = reference.to_string();
    if text.contains('_') {
        format!("{text} contains an underscore.\n{UNDERSCORE}\n")
    } else {
        String::new()
    }
}

/// Downloads and reads the index of a repository.
pub(super) async fn read_index(web: &Web, repository: &Repository) -> Result<Index> {
    let what = || {
        format!(
            "looks like {:?} is not a valid chart repository or cannot be reached",
            weir_redact::redact_url(repository.url().as_str())
        )
    };
    let answer = web.index(repository, None, MAX_INDEX).await;
    let content = match answer.map_err(|error| CommandError::caused(Kind::Outside, what(), &error))? {
        Answer::Content { bytes, .. } => bytes,
        Answer::Unchanged => Bytes::new(),
    };
    Index::read(&content).map_err(|error| CommandError::caused(Kind::User, what(), &error))
}

/// The digest that a version means in a registry, and its tag; asked once.
async fn choose(client: &Client, reference: &Reference, version: &str) -> Result<(Digest, Option<Tag>)> {
    let repository = reference.repository();
    if let Some(digest) = reference.digest() {
        if version.is_empty() {
            return Ok((digest, None));
        }
        // The tag need not exist; if it does, it must mean the same.
        let tag = tag_of(version)?;
        return match client.resolve(&repository.at_tag(tag)).await {
            Ok(found) if found.digest != digest => Err(CommandError::rejected(format!(
                "chart reference digest mismatch: {} is not {digest}",
                found.digest
            ))),
            _ => Ok((digest, None)),
        };
    }
    let version = if Version::parse(version).is_ok() {
        version.to_owned()
    } else {
        let tags = client.tags(repository).await?;
        if tags.is_empty() {
            return Err(CommandError::user(format!(
                "unable to locate any tags in provided repository: {repository}"
            )));
        }
        highest_tag(tags.iter().map(String::as_str), version)
            .map_err(|error| CommandError::user(error.to_string()))?
    };
    let tag = tag_of(&version)?;
    let found = client.resolve(&repository.at_tag(tag.clone())).await?;
    Ok((found.digest, Some(tag)))
}

/// Reads `oci://host/repository[:version][@digest]`. A version may have `+`, which a tag may not.
pub(super) fn read_reference(text: &str) -> Result<(Reference, Option<String>)> {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    let slash = rest.rfind('/').map_or(0, |at| at + 1);
    let (folder, last) = rest.split_at_checked(slash).unwrap_or(("", rest));
    let (name, version) = match last.split_once(':') {
        Some((name, version)) if slash > "oci://".len() => (name, Some(version.to_owned())),
        _ => (last, None),
    };
    let digest = digest.map(|digest| format!("@{digest}")).unwrap_or_default();
    let reference = remote::read_reference(&format!("{folder}{name}{digest}"))
        .map_err(|why| CommandError::user(format!("{text} is no reference of a chart: {why}")))?;
    Ok((reference, version.filter(|version| !version.is_empty())))
}

/// A file's name that comes from outside: it stays in its folder.
pub(super) fn file_name(name: &str) -> Result<String> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\', '\0']) {
        return Err(CommandError::user(format!(
            "{name:?} cannot be the name of a file"
        )));
    }
    Ok(name.to_owned())
}

impl From<FetchError> for CommandError {
    fn from(error: FetchError) -> Self {
        let kind = if error.is_access() {
            Kind::Rejected
        } else {
            Kind::Outside
        };
        Self::of(kind, &error)
    }
}

impl From<UrlError> for CommandError {
    fn from(error: UrlError) -> Self {
        Self::of(Kind::User, &error)
    }
}

impl From<RegistryError> for CommandError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Registry(error) => error.into(),
            error => Self::of(Kind::User, &error),
        }
    }
}
