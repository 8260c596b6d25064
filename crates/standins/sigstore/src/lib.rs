//! A Sigstore instance in memory, for tests and trials without the network.
//!
//! It has a certificate authority with a certificate log (what Fulcio is), transparency logs of both protocols
//! (Rekor v1 and v2), a timestamp authority, and a trust root that describes them. It signs as anybody: whoever
//! [`Holder`] names gets a certificate of the issuer they name, which is what tests of identities need and what no
//! honest instance does. Keys are made anew for each instance and kept nowhere.
//!
//! Everything happens at the time that the caller gives. [`Server`] speaks the protocols of Fulcio, Rekor v1 and v2 and
//! of a timestamp authority, so that cosign and other clients sign with it; [`Sigstore::token`] makes the tokens that
//! its Fulcio asks for. Of each protocol it has what signing needs, and nothing to read a log back with.
//!
//! Where tokens themselves are of interest there is an OIDC provider with discovery, [`Sigstore::issuer`], which gives them to
//! a [`Workload`]: through a token service as that of GitHub Actions ([`Sigstore::job`]) or by itself
//! ([`Sigstore::workload_token`]). Fulcio checks those with the keys that the provider publishes.
//!
//! [`TufRepository`] hands out documents, such as an instance's trust root, as The Update Framework does, or as somebody who
//! forges, holds back and rolls back does.
//!
//! ```
//! use weir_standin_sigstore::{Holder, Rekor, Sigstore};
//!
//! let sigstore = Sigstore::new("2026-01-01T00:00:00Z".parse()?);
//! let holder = Holder::new("https://accounts.example", "release@example.org");
//! let bundle = sigstore.sign_statement(&holder, b"{}", "2026-02-01T00:00:00Z".parse()?, Rekor::V2);
//! assert!(bundle["verificationMaterial"]["certificate"].is_object());
//! assert!(sigstore.trusted_root()["tlogs"].is_array());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod api;
mod authority;
mod certificate;
mod der;
mod extensions;
mod key;
mod log;
mod loopback;
mod provider;
mod root;
mod serve;
mod sign;
mod stamp;
mod token;
mod tuf;
mod workload;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use authority::Authority;
use log::Log;
use stamp::Stamps;

pub use authority::Holder;
pub use log::Rekor;
pub use serve::Server;
pub use sign::PayloadSignature;
pub use tuf::{TufRepository, TufServer};
pub use workload::Workload;

/// How long the authorities live: ten years.
const LIFE: SignedDuration = SignedDuration::from_hours(24 * 3652);

/// How an instance differs from the usual one.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// When the intermediate certificate ends; with the root otherwise.
    pub intermediate_until: Option<Timestamp>,
    /// The only domain of e-mail addresses for which the intermediate may issue (a name constraint).
    pub only_domain: Option<String>,
    /// Where the services are, without a slash at the end; nowhere otherwise.
    pub url: Option<String>,
    /// OIDC providers, by issuer, whose tokens get certificates, too: their keys are looked for as OpenID Connect Discovery
    /// says. The instance's own is always one of them.
    pub issuers: Vec<String>,
}

/// The instance. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Sigstore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    from: Timestamp,
    url: String,
    issuers: Vec<String>,
    /// Stands for every issuer that is none of the above.
    tokens: token::Issuer,
    /// The own OIDC provider's.
    provider: token::Issuer,
    authority: Authority,
    stamps: Stamps,
    /// Rekor v1, Rekor v2.
    logs: Mutex<[Log; 2]>,
}

impl Sigstore {
    /// An instance whose authorities live from `from` on for ten years.
    pub fn new(from: Timestamp) -> Self {
        Self::with(from, &Options::default())
    }

    /// An instance that differs from the usual one.
    pub fn with(from: Timestamp, options: &Options) -> Self {
        let until = from + LIFE;
        let url = options.url.clone().unwrap_or_else(|| root::NOWHERE.to_owned());
        Self(Arc::new(Inner {
            from,
            authority: Authority::new(
                from,
                until,
                options.intermediate_until.unwrap_or(until),
                options.only_domain.as_deref(),
            ),
            stamps: Stamps::new(from, until),
            logs: Mutex::new([
                Log::new(Rekor::V1, root::host(&url)),
                Log::new(Rekor::V2, root::host(&url)),
            ]),
            issuers: options.issuers.clone(),
            tokens: token::Issuer::new(),
            provider: token::Issuer::new(),
            url,
        }))
    }

    /// How many entries the log of this protocol has.
    pub fn log_size(&self, rekor: Rekor) -> usize {
        self.with_log(rekor, |log| log.size())
    }

    /// No code that holds the lock panics between two halves of a change.
    fn logs(&self) -> MutexGuard<'_, [Log; 2]> {
        self.0.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_log<T>(&self, rekor: Rekor, work: impl FnOnce(&mut Log) -> T) -> T {
        let [v1, v2] = &mut *self.logs();
        match rekor {
            Rekor::V1 => work(v1),
            Rekor::V2 => work(v2),
        }
    }
}
