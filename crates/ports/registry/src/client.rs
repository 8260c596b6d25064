//! The client: shared connections, a keychain, tokens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::OnceCell;
use url::Url;
use weir_oci::Repository;

use crate::address::GuardedResolver;
use crate::auth::{Challenge, Tokens};
use crate::credentials::{Credential, Keychain};
use crate::error::{Error, ErrorKind, Operation};
use crate::options::ClientOptions;
use crate::retry::Budget;
use crate::{Result, tls};

/// Servers remembered at once.
const MOST_HOSTS: usize = 4096;

/// A client of OCI registries. Cheap to clone; clones share connections, tokens and the retry budget.
///
/// The verbs are in files of their own: `resolve`, `manifest`, `blob`, `blob_bytes`, `blob_to_file`,
/// `blob_exists`, `push_blob`, `mount_blob`, `push_manifest`, `tag`, `tags`, `referrers`, `delete_manifest`,
/// `delete_tag`, `ping`.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    pub(crate) identity: Arc<Identity>,
}

/// What clients with different credentials share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: ClientOptions,
    pub(crate) http: reqwest::Client,
    pub(crate) budget: Budget,
    hosts: Mutex<HashMap<Url, Arc<Host>>>,
}

/// What was learned about a server.
#[derive(Debug, Default)]
pub(crate) struct Host {
    /// The address that works, and what it asked for at first contact.
    pub(crate) contact: OnceCell<Contact>,
    /// What it asked for later, when that differs.
    pub(crate) challenge: RwLock<Option<Challenge>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Contact {
    pub(crate) base: Url,
    pub(crate) challenge: Challenge,
}

/// What belongs to one keychain.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    pub(crate) keychain: Keychain,
    pub(crate) tokens: Tokens,
    found: Mutex<HashMap<Repository, Option<Credential>>>,
}

impl Client {
    /// A client that asks anonymously; add credentials with [`Client::with_credentials`].
    ///
    /// # Errors
    /// When certificates, keys or proxies of `options` cannot be used.
    pub fn new(options: ClientOptions) -> Result<Self> {
        let http = http_client(&options)?;
        let budget = Budget::new(&options.retry);
        Ok(Self {
            shared: Arc::new(Shared {
                options,
                http,
                budget,
                hosts: Mutex::default(),
            }),
            identity: Arc::default(),
        })
    }

    /// The same client with other credentials: connections are shared, tokens are not.
    #[must_use]
    pub fn with_credentials(&self, keychain: Keychain) -> Self {
        let identity = Identity {
            keychain,
            ..Identity::default()
        };
        Self {
            shared: self.shared.clone(),
            identity: Arc::new(identity),
        }
    }

    /// The options the client was made with.
    pub fn options(&self) -> &ClientOptions {
        &self.shared.options
    }
}

impl Shared {
    pub(crate) fn host(&self, base: &Url) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        // Names come from tenants too; what is forgotten is learned again at the next contact.
        if hosts.len() >= MOST_HOSTS {
            hosts.clear();
        }
        hosts.entry(base.clone()).or_default().clone()
    }
}

impl Host {
    pub(crate) fn current_challenge(&self) -> Option<Challenge> {
        self.challenge
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .or_else(|| self.contact.get().map(|contact| contact.challenge.clone()))
    }

    pub(crate) fn learn(&self, challenge: Challenge) {
        *self.challenge.write().unwrap_or_else(PoisonError::into_inner) = Some(challenge);
    }
}

impl Identity {
    /// The credential for `repository`, looked up once: helpers are slow.
    pub(crate) async fn credential(
        &self,
        repository: &Repository,
    ) -> std::result::Result<Option<Credential>, crate::credentials::CredentialError> {
        if let Some(found) = self
            .found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(repository)
        {
            return Ok(found.clone());
        }
        let found = self.keychain.lookup(repository).await?;
        self.found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(repository.clone(), found.clone());
        Ok(found)
    }
}

/// An HTTP client by the same rules, for what is no registry: certificates, proxies and time-outs as `options` say, no
/// link-local addresses, and no redirect followed.
///
/// # Errors
/// When certificates, keys or proxies of `options` cannot be used.
pub fn http_client(options: &ClientOptions) -> Result<reqwest::Client> {
    let configure = |why: String| {
        Error::new(
            Operation::Configure,
            "the registry client",
            ErrorKind::Options(why),
        )
    };
    let tls = tls::config(&options.tls).map_err(configure)?;
    let mut builder = reqwest::Client::builder()
        .user_agent(&options.user_agent)
        .tls_backend_preconfigured(tls)
        // Redirects are followed by hand: a library would carry headers along.
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .dns_resolver(Arc::new(GuardedResolver))
        .connect_timeout(options.timeouts.connect)
        .read_timeout(options.timeouts.idle);
    for proxy in proxies(options).map_err(configure)? {
        builder = builder.proxy(proxy);
    }
    builder
        .build()
        .map_err(|err| configure(err.without_url().to_string()))
}

fn proxies(options: &ClientOptions) -> std::result::Result<Vec<reqwest::Proxy>, String> {
    let proxy = &options.proxy;
    let exceptions = proxy.no_proxy.as_deref().and_then(reqwest::NoProxy::from_string);
    let mut proxies = Vec::new();
    for (url, is_https) in [(&proxy.https, true), (&proxy.http, false)] {
        let Some(url) = url else { continue };
        let address = url.expose().clone();
        let made = if is_https {
            reqwest::Proxy::https(address)
        } else {
            reqwest::Proxy::http(address)
        };
        let made = made.map_err(|_| format!("the proxy {url} cannot be used"))?;
        proxies.push(made.no_proxy(exceptions.clone()));
    }
    Ok(proxies)
}
