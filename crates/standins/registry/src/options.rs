//! How the registry behaves.

/// How the registry behaves. The default is an open registry with every feature.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether there is a referrers API. Without one, as on GHCR, clients keep lists under tags.
    pub referrers_api: bool,
    /// The most entries of one page of a list.
    pub page_size: usize,
    /// Who may do what.
    pub auth: Auth,
    /// Whether a tag that exists can be moved.
    pub immutable_tags: bool,
    /// Whether manifests and tags can be deleted.
    pub deletion: bool,
    /// Whether blobs are sent in parts when asked.
    pub ranges: bool,
    /// Whether a manifest may name blobs that are not there.
    pub incomplete_manifests: bool,
    /// The most bytes of a blob.
    pub blob_limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            referrers_api: true,
            page_size: 1000,
            auth: Auth::Open,
            immutable_tags: false,
            deletion: true,
            ranges: true,
            incomplete_manifests: false,
            blob_limit: 1 << 30,
        }
    }
}

/// Who may do what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Auth {
    /// Everyone may do everything.
    #[default]
    Open,
    /// User name and password with every request.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: String,
    },
    /// Tokens from `/token` on the same server, each for the scopes it was asked for.
    Bearer {
        /// The user name.
        username: String,
        /// The password.
        password: String,
        /// What is accepted as a refresh token.
        refresh_token: Option<String>,
        /// Whether tokens for pulling are given to everyone.
        anonymous_pull: bool,
        /// What `expires_in` says, in seconds.
        expires_in: u64,
        /// Where clients are sent for tokens, when not to this server.
        realm: Option<String>,
    },
}
