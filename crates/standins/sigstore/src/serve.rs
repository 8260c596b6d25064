//! The services on a port of this machine.

use std::net::SocketAddr;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{Options, Sigstore, api};

/// An instance that listens on loopback, at the machine's time, until it is dropped.
#[derive(Debug)]
pub struct Server {
    sigstore: Sigstore,
    address: SocketAddr,
    task: JoinHandle<()>,
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
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let options = Options {
            url: Some(format!("http://{address}")),
            ..options
        };
        let sigstore = Sigstore::with(from, &options);
        let router = sigstore.router();
        let task = tokio::spawn(async move {
            // It ends with the task; an error of the listener shows as refused connections.
            drop(axum::serve(listener, router).await);
        });
        Ok(Self {
            sigstore,
            address,
            task,
        })
    }

    /// The instance.
    pub const fn sigstore(&self) -> &Sigstore {
        &self.sigstore
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
