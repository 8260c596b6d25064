//! Serves an empty cluster on a loopback port and prints a kubeconfig for it.

use std::io::Write as _;

use weir_standin_apiserver::{ApiServer, Options, User, kubeconfig};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let server = ApiServer::new(Options::default());
    server.add_token("admin", User::admin());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    write!(
        std::io::stdout(),
        "{}",
        kubeconfig(&listener.local_addr()?.to_string(), "admin")
    )?;
    std::io::stdout().flush()?;
    server.serve(listener).await
}
