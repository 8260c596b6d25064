//! What a run asks of the outside.

use crate::{CallError, Value};

/// The outside of a run. Every method refuses by default, so a host says only what it has.
///
/// A host that answers the same to the same questions makes a render repeatable, random functions included.
pub trait Host {
    /// Fills the bytes at random: `randAlphaNum`, `uuidv4`, `shuffle`, salts.
    ///
    /// # Errors
    /// When there is no source.
    fn random(&mut self, bytes: &mut [u8]) -> Result<(), CallError> {
        let _ = bytes;
        Err(CallError::new("no source of random bytes"))
    }

    /// The time: nanoseconds since 1970 UTC.
    ///
    /// # Errors
    /// When there is no clock.
    fn now(&mut self) -> Result<i128, CallError> {
        Err(CallError::new("no clock"))
    }

    /// How far local time is ahead of UTC at a time in seconds since 1970, and how the zone is called. `UTC`
    /// by default, as in a container.
    fn local_zone(&mut self, seconds: i64) -> (i32, String) {
        let _ = seconds;
        (0, "UTC".to_owned())
    }

    /// How far the named zone (`Europe/Berlin`) is ahead of UTC at that time, and its abbreviation there.
    /// Nothing if there is no such zone.
    fn zone(&mut self, name: &str, seconds: i64) -> Option<(i32, String)> {
        let _ = seconds;
        matches!(name, "UTC" | "").then(|| (0, "UTC".to_owned()))
    }

    /// Objects of the cluster, for Helm's `lookup`: a map for one, a list object for all (empty name), an empty
    /// map for none. The default answers as without a cluster.
    ///
    /// # Errors
    /// When the cluster says something else than that there is none.
    fn lookup(
        &mut self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Value, CallError> {
        let _ = (api_version, kind, namespace, name);
        Ok(crate::Map::new().into())
    }

    /// Makes a private key, as PEM in the form that Go's sprig prints.
    ///
    /// # Errors
    /// When there is no key maker, or the kind is unknown.
    fn private_key(&mut self, kind: KeyKind) -> Result<String, CallError> {
        let _ = kind;
        Err(CallError::new("no maker of keys"))
    }

    /// Makes a certificate; gives the certificate and its key as PEM.
    ///
    /// # Errors
    /// When there is no maker of certificates or the request is no good.
    fn certificate(&mut self, request: &CertificateRequest<'_>) -> Result<(String, String), CallError> {
        let _ = request;
        Err(CallError::new("no maker of certificates"))
    }

    /// Told of what Helm would only warn about: a missing `required` value while linting.
    fn warn(&mut self, message: &str) {
        let _ = message;
    }

    /// Whether `required` and `fail` only warn, as Helm's lint wants it.
    fn is_lint(&self) -> bool {
        false
    }
}

/// Kinds of private keys that sprig's `genPrivateKey` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the algorithms")]
pub enum KeyKind {
    Rsa,
    Dsa,
    Ecdsa,
    Ed25519,
}

/// What sprig's `genCA`, `genSelfSignedCert` and `genSignedCert` ask for.
#[derive(Debug)]
pub struct CertificateRequest<'a> {
    /// The subject's common name.
    pub common_name: &'a str,
    /// Addresses in the certificate, as they were given.
    pub ips: &'a [String],
    /// Names in the certificate.
    pub names: &'a [String],
    /// For how many days it is valid.
    pub days: i64,
    /// Whether it may sign others.
    pub is_ca: bool,
    /// Who signs: certificate and key as PEM. Itself if nobody does.
    pub signer: Option<(&'a str, &'a str)>,
    /// The key to use, as PEM; a new RSA key of 2048 bits otherwise.
    pub key: Option<&'a str>,
}

/// No outside: nothing random, no clock, no cluster.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHost;

impl Host for NoHost {}
