//! A registry with one artifact in it, and a client for it.

use std::path::PathBuf;

use jiff::Timestamp;
use weir_oci::{Descriptor, Digest, ImageManifest, media_type};
use weir_redact::SecretString;
use weir_registry::{Client, ClientOptions, PlainHttp};
use weir_standin_registry::{Handle, Options, Registry};
use weir_trust::{SignOptions, SigningKey};
use weir_verify::{KeyPolicy, Policy, Target};

/// The repository of the artifact.
pub(crate) const REPOSITORY: &str = "org/app";

pub(crate) struct Setup {
    pub(crate) registry: Registry,
    pub(crate) client: Client,
    pub(crate) target: Target,
    pub(crate) handle: Handle,
}

impl Setup {
    /// A registry with a referrers API.
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    /// A registry without one, as GHCR.
    pub(crate) async fn without_referrers_api() -> Self {
        Self::with(Options {
            referrers_api: false,
            ..Options::default()
        })
        .await
    }

    async fn with(options: Options) -> Self {
        let registry = Registry::new(options);
        let handle = registry.start().await.unwrap();
        let mut options = ClientOptions {
            plain_http: PlainHttp::Loopback,
            ..ClientOptions::default()
        };
        options.retry.attempts = 1;
        let client = Client::new(options).unwrap();
        let repository = format!("{}/{REPOSITORY}", handle.addr()).parse().unwrap();
        let layer = client
            .push_blob(&repository, media_type::FLUX_CONTENT, b"content".to_vec())
            .await
            .unwrap();
        let config = client
            .push_blob(&repository, media_type::FLUX_CONFIG, b"{}".to_vec())
            .await
            .unwrap();
        let raw = ImageManifest::new(config, vec![layer]).to_bytes().unwrap();
        let tag = "v1".parse().unwrap();
        let digest = client
            .push_manifest(&repository, Some(&tag), raw, media_type::OCI_MANIFEST)
            .await
            .unwrap();
        let target = Target::new(repository, digest);
        Self {
            registry,
            client,
            target,
            handle,
        }
    }

    /// Attaches a manifest with this layer to the artifact.
    pub(crate) async fn attach(&self, media_type: &str, content: &[u8]) -> Digest {
        let layer = self.push(media_type, content).await;
        self.attach_layers(vec![layer]).await
    }

    pub(crate) async fn push(&self, media_type: &str, content: &[u8]) -> Descriptor {
        self.client
            .push_blob(self.target.repository(), media_type, content.to_vec())
            .await
            .unwrap()
    }

    pub(crate) async fn attach_layers(&self, layers: Vec<Descriptor>) -> Digest {
        let repository = self.target.repository();
        let config = self.push(media_type::OCI_EMPTY, b"{}").await;
        let mut manifest = ImageManifest::new(config, layers);
        let subject = self
            .client
            .manifest(repository, &self.target.digest())
            .await
            .unwrap();
        manifest.subject = Some(subject.descriptor());
        let raw = manifest.to_bytes().unwrap();
        self.client
            .push_manifest(repository, None, raw, media_type::OCI_MANIFEST)
            .await
            .unwrap()
    }
}

/// A fixed time: nothing here depends on the clock.
pub(crate) fn options() -> SignOptions {
    SignOptions::at("2026-01-02T03:04:05Z".parse::<Timestamp>().unwrap())
}

/// The time of verdicts.
pub(crate) fn now() -> Timestamp {
    "2026-03-01T00:00:00Z".parse().unwrap()
}

pub(crate) fn case(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn password() -> SecretString {
    SecretString::from("pw")
}

/// A key, read from its unencrypted form: decrypting takes seconds in a debug build.
pub(crate) fn plain_key(name: &str) -> SigningKey {
    SigningKey::from_pem(&case(&format!("keys/plain-{name}.pem")), None).unwrap()
}

/// The same key, as cosign encrypted it.
pub(crate) fn cosign_key(name: &str) -> SigningKey {
    SigningKey::from_pem(&case(&format!("keys/{name}.key")), Some(&password())).unwrap()
}

pub(crate) fn policy(key: &SigningKey) -> Policy {
    Policy::Keys(KeyPolicy::new([("cosign.pub".to_owned(), key.public_key().clone())]).unwrap())
}
