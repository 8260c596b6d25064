//! Secrets and URLs that cannot be printed whole.
//!
//! A value that must not reach a log, an event, an error or a diff is put into [`Secret`] the moment it is
//! read. Printing or serialising it gives [`MASK`]; only [`Secret::expose`] gives the value, so every use is
//! easy to find. URLs go through [`RedactedUrl`] or [`redact_url`]. Where text comes from outside (a server's
//! message, a diff), [`Mask`] hides every known secret value in it.
//!
//! This crate does not decide what is a secret, and it does not encrypt anything.
//!
//! ```
//! use weir_redact::{Mask, SecretString, redact_url};
//!
//! let password = SecretString::from("hunter2-long");
//! assert_eq!(format!("{password:?}"), "Secret(*****)");
//! assert_eq!(redact_url("https://me:hunter2-long@host/x"), "https://host/x");
//!
//! let mut mask = Mask::default();
//! mask.add(password.expose());
//! assert_eq!(mask.apply("bad password hunter2-long"), "bad password *****");
//! ```

mod mask;
mod secret;
mod url;

pub use mask::Mask;
pub use secret::{Secret, SecretBytes, SecretString};
pub use url::{RedactedUrl, redact_url, redact_urls_in};

/// What stands in the place of a secret. It has one length, whatever it hides.
pub const MASK: &str = "*****";
