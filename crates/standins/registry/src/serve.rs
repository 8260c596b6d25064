//! The registry on a socket.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::Registry;

/// A registry that is being served. Dropping it stops the server without waiting.
#[derive(Debug)]
pub struct Handle {
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Registry {
    /// The registry as a router, which is a tower service.
    pub fn router(&self) -> Router {
        Router::new()
            .fallback(crate::api::handle)
            .with_state(self.clone())
    }

    /// Serves on a free port of the loopback address.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(&self) -> std::io::Result<Handle> {
        self.serve(TcpListener::bind(("127.0.0.1", 0)).await?)
    }

    /// Serves on `listener`, in a task of its own.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn serve(&self, listener: TcpListener) -> std::io::Result<Handle> {
        let addr = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let router = self.router();
        let task = tokio::spawn(async move {
            let server = axum::serve(listener, router).with_graceful_shutdown(async {
                // A dropped handle counts as a request to stop.
                drop(stopped.await);
            });
            // Accepting never ends in an error; one would leave nobody to tell.
            drop(server.await);
        });
        Ok(Handle {
            addr,
            stop: Some(stop),
            task,
        })
    }
}

impl Handle {
    /// Where the registry listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `host:port`, as references name the registry.
    pub fn host(&self) -> String {
        self.addr.to_string()
    }

    /// Stops accepting, then ends what is still open: idle connections of clients would hold it up for ever.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        self.task.abort();
        drop((&mut self.task).await);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.task.abort();
    }
}
