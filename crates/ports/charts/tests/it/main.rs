//! Charts over HTTP and in a registry.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

mod http;
mod oci;
mod server;
