//! `weir registry serve`.

use std::net::SocketAddr;

use clap::Args;
use serde_json::json;
use tokio::net::TcpListener;
use weir_standin_registry::{Options, Registry};

use crate::global::Context;
use crate::output::{Shape, print_value};
use crate::{CommandError, Exit, Kind, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir registry serve
  weir registry serve --listen 127.0.0.1:0     # a free port, printed on standard output
  weir registry serve --listen 127.0.0.1:0 --output json
  weir artifact push oci://localhost:5050/apps:dev --path . --source local --revision local";

/// Serve an OCI registry on this machine, for trying things out
///
/// It speaks plain HTTP, asks for no credentials, keeps everything in memory and forgets it at the end. Prints its
/// address and runs until it is interrupted.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5050")]
    listen: SocketAddr,
    /// How to print the address
    #[arg(short, long, value_enum, default_value_t)]
    output: Shape,
}

impl Serve {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let failed = |error: std::io::Error| {
            CommandError::caused(Kind::Outside, format!("cannot listen on {}", self.listen), &error)
                .hint("choose another address with `--listen`")
        };
        let listener = TcpListener::bind(self.listen).await.map_err(failed)?;
        let handle = Registry::new(Options::default())
            .serve(listener)
            .map_err(failed)?;
        if !handle.addr().ip().is_loopback() {
            cx.io.talk(
                "warning: everybody who can reach this address can read and change what is in the registry",
            );
        }
        if self.output == Shape::Text {
            cx.io.line(&handle.host())?;
        } else {
            let value = json!({"host": handle.host()});
            print_value(cx.io, &value, self.output == Shape::Yaml)?;
        }
        cx.io
            .talk("serving until interrupted; the content is in memory only");
        cx.io.flush()?;
        cx.io.stopped().await;
        handle.shutdown().await;
        Ok(Exit::Success)
    }
}
