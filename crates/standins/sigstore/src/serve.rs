//! The services on a port of this machine.

use std::net::SocketAddr;

use jiff::Timestamp;

use crate::loopback::{Port, Served};
use crate::{Options, Sigstore, api};

/// An instance that listens on loopback, at the machine's time, until it is dropped.
#[derive(Debug)]
pub struct Server {
    sigstore: Sigstore,
    served: Served,
}

impl Sigstore {
    /// The services, to be served by the caller.
    pub fn router(&self) -> axum::Router {
        api::router(self.clone())
    }
}

impl Server {
    /// Starts an instance whose authorities live from `from` on. Where the services are is filled in.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(from: Timestamp, options: Options) -> std::io::Result<Self> {
        let port = Port::bind().await?;
        let options = Options {
            url: Some(format!("http://{}", port.address)),
            ..options
        };
        let sigstore = Sigstore::with(from, &options);
        let served = port.serve(sigstore.router());
        Ok(Self { sigstore, served })
    }

    /// The instance.
    pub const fn sigstore(&self) -> &Sigstore {
        &self.sigstore
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.served.address
    }
}
