//! Annotation keys that weir reads or writes, spelled as their owners spell them.

/// When the artifact was made, RFC 3339 (OCI image spec).
pub const CREATED: &str = "org.opencontainers.image.created";
/// The URL of the source the artifact was made from (OCI image spec).
pub const SOURCE: &str = "org.opencontainers.image.source";
/// The revision of that source (OCI image spec).
pub const REVISION: &str = "org.opencontainers.image.revision";
/// A version of the packaged software (OCI image spec).
pub const VERSION: &str = "org.opencontainers.image.version";
/// A title; ORAS puts a file name here (OCI image spec).
pub const TITLE: &str = "org.opencontainers.image.title";
/// The name of a reference inside an image layout (OCI image spec).
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// What a Sigstore bundle attached as a referrer holds (cosign).
pub const SIGSTORE_BUNDLE_CONTENT: &str = "dev.sigstore.bundle.content";
/// The in-toto predicate type of a Sigstore bundle attached as a referrer (cosign).
pub const SIGSTORE_BUNDLE_PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";
