//! Everything a client can be told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use weir_redact::{RedactedUrl, SecretBytes};

/// How a client reaches registries. The default is strict: HTTPS, the platform's certificates, no proxy.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// What the client calls itself.
    pub user_agent: String,
    /// When HTTP without TLS is allowed.
    pub plain_http: PlainHttp,
    /// Certificates.
    pub tls: TlsOptions,
    /// Proxies. The environment is not read.
    pub proxy: ProxyOptions,
    /// Registries that are reached under another address: `ghcr.io` → `https://mirror.example/ghcr`. A path in
    /// the address is put in front of the repository's path. References, errors and everything signed keep
    /// the original name; credentials are looked up under the mirror's own name.
    pub mirrors: BTreeMap<String, url::Url>,
    /// Hosts of token services that credentials may go to although the rules for realms would refuse them
    /// (a private address for a registry with a public name).
    pub trusted_realms: BTreeSet<String>,
    /// When to try again.
    pub retry: RetryOptions,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How much to accept.
    pub limits: Limits,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            user_agent: concat!("weir/", env!("CARGO_PKG_VERSION")).to_owned(),
            plain_http: PlainHttp::default(),
            tls: TlsOptions::default(),
            proxy: ProxyOptions::default(),
            mirrors: BTreeMap::new(),
            trusted_realms: BTreeSet::new(),
            retry: RetryOptions::default(),
            timeouts: Timeouts::default(),
            limits: Limits::default(),
        }
    }
}

/// When HTTP without TLS is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PlainHttp {
    /// Never.
    #[default]
    Never,
    /// For registries on this machine: `localhost` and loopback addresses speak HTTP.
    Loopback,
    /// These registries (`host` or `host:port`) speak HTTP.
    Hosts(BTreeSet<String>),
    /// Any registry may: HTTPS is tried first and HTTP when that connection fails (`spec.insecure`).
    Any,
}

/// Which certificates to trust and to show.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// Certificates (PEM) of private authorities, trusted besides the platform's.
    pub extra_authorities: Vec<u8>,
    /// The client's own certificate.
    pub identity: Option<ClientIdentity>,
    /// Accepts any server certificate. Whoever stands between can then read and change everything.
    pub danger_accept_invalid_certificates: bool,
}

/// A client certificate for mutual TLS.
#[derive(Debug, Clone)]
pub struct ClientIdentity {
    /// The certificate chain, PEM.
    pub certificate: Vec<u8>,
    /// The private key, PEM.
    pub key: SecretBytes,
}

/// Proxies by the scheme of the registry.
#[derive(Debug, Clone, Default)]
pub struct ProxyOptions {
    /// The proxy for `https://` addresses; user and password may be in it.
    pub https: Option<RedactedUrl>,
    /// The proxy for `http://` addresses.
    pub http: Option<RedactedUrl>,
    /// Hosts reached without a proxy, in the form of the `NO_PROXY` variable.
    pub no_proxy: Option<String>,
}

/// When and how often to try again.
#[derive(Debug, Clone)]
pub struct RetryOptions {
    /// How often a request is made at most, the first time included.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles each time, with jitter.
    pub base_delay: Duration,
    /// The longest wait, also when a server asks for a longer one: then the request fails instead.
    pub max_delay: Duration,
    /// How many retries may be in hand at once over all requests. Each success earns a tenth of one, so a
    /// registry that is down is not hit with every request several times.
    pub budget: u32,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            attempts: 4,
            base_delay: Duration::from_millis(200),
            max_delay: Duration::from_secs(20),
            budget: 20,
        }
    }
}

/// How long to wait.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// Between two reads of a body.
    pub idle: Duration,
    /// For a whole request that moves no blob.
    pub request: Duration,
    /// For a blob, besides what its size allows at [`Limits::slowest_transfer`].
    pub blob: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            request: Duration::from_mins(1),
            blob: Duration::from_mins(1),
        }
    }
}

/// How much to accept. Past a cap there is an error, never a shortened answer.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a manifest. The distribution spec asks registries for at least 4 MiB.
    pub manifest_bytes: u64,
    /// Bytes of one page of a list, of a token answer and the like.
    pub answer_bytes: u64,
    /// Tags of a repository.
    pub tags: usize,
    /// Referrers of a manifest.
    pub referrers: usize,
    /// Pages of any list.
    pub pages: usize,
    /// Redirects of one request.
    pub redirects: usize,
    /// Bytes of one chunk of an upload; a larger blob goes up in several and can be resumed.
    pub upload_chunk: u64,
    /// Bytes a second below which a transfer is given up.
    pub slowest_transfer: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest_bytes: 4 << 20,
            answer_bytes: 8 << 20,
            tags: 100_000,
            referrers: 1_000,
            pages: 1_000,
            redirects: 8,
            upload_chunk: 64 << 20,
            slowest_transfer: 16 << 10,
        }
    }
}
