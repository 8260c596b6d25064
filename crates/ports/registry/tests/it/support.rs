//! A registry, a client for it, and content.

use std::time::Duration;

use weir_oci::{Descriptor, Digest, ImageManifest, Repository, Tag, media_type};
use weir_registry::{Client, ClientOptions, PlainHttp, RetryOptions};
use weir_standin_registry::{Handle, Options, Registry};

pub(crate) struct World {
    pub(crate) registry: Registry,
    pub(crate) client: Client,
    pub(crate) repository: Repository,
    _handle: Handle,
}

/// Plain HTTP on loopback, and retries without waiting.
pub(crate) fn options() -> ClientOptions {
    ClientOptions {
        plain_http: PlainHttp::Loopback,
        retry: RetryOptions {
            base_delay: Duration::ZERO,
            ..RetryOptions::default()
        },
        ..ClientOptions::default()
    }
}

pub(crate) async fn world(registry: Options) -> World {
    world_with(registry, options()).await
}

pub(crate) async fn world_with(registry: Options, client: ClientOptions) -> World {
    let registry = Registry::new(registry);
    let handle = registry.start().await.unwrap();
    let repository = format!("{}/org/app", handle.host()).parse().unwrap();
    World {
        registry,
        client: Client::new(client).unwrap(),
        repository,
        _handle: handle,
    }
}

pub(crate) fn tag(text: &str) -> Tag {
    Tag::new(text).unwrap()
}

/// Content that does not compress or repeat in a way a bug could hide behind.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            u8::try_from(state & 0xff).unwrap()
        })
        .collect()
}

impl World {
    /// Puts an artifact of one layer into the registry, past the protocol.
    pub(crate) fn seed(&self, name: &str, layer: &[u8]) -> (Digest, Descriptor) {
        let raw = manifest(layer);
        self.registry.put_blob("org/app", b"{}".as_slice());
        self.registry.put_blob("org/app", layer.to_vec());
        let digest = self
            .registry
            .put_manifest("org/app", Some(name), raw, media_type::OCI_MANIFEST)
            .unwrap();
        (digest, Descriptor::of(media_type::FLUX_CONTENT, layer))
    }

    /// How many requests with this method had `part` in their path.
    pub(crate) fn requests(&self, method: &str, part: &str) -> usize {
        self.registry
            .seen()
            .iter()
            .filter(|seen| seen.method == method && seen.path.contains(part))
            .count()
    }
}

pub(crate) fn manifest(layer: &[u8]) -> Vec<u8> {
    ImageManifest::new(
        Descriptor::empty(),
        vec![Descriptor::of(media_type::FLUX_CONTENT, layer)],
    )
    .to_bytes()
    .unwrap()
}

/// A manifest attached to `subject`.
pub(crate) fn attached(subject: &Descriptor, kind: &str, note: &str) -> Vec<u8> {
    let mut manifest = ImageManifest::new(Descriptor::empty(), vec![Descriptor::empty()]);
    manifest.artifact_type = Some(kind.to_owned());
    manifest.subject = Some(subject.clone());
    manifest.annotations.insert("note".to_owned(), note.to_owned());
    manifest.to_bytes().unwrap()
}

/// An error with all its causes.
pub(crate) fn chain(err: &dyn std::error::Error) -> String {
    let mut text = err.to_string();
    let mut next = err.source();
    while let Some(err) = next {
        text.push_str(": ");
        text.push_str(&err.to_string());
        next = err.source();
    }
    text
}
