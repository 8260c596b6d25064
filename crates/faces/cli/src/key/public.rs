//! `weir key public`.

use clap::Args;
use serde_json::json;

use crate::global::Context;
use crate::output::{Shape, print_value};
use crate::{Exit, keys, run::Result};

const EXAMPLES: &str = "\
Examples:
  COSIGN_PASSWORD=... weir key public cosign.key
  weir key public k8s://flux-system/cosign
  weir key public exec:///usr/local/bin/kms-signer#alias/releases > releases.pub";

/// Print the public half of a signing key
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Public {
    /// The key: a file, env://VARIABLE, k8s://NAMESPACE/SECRET, or exec://PROGRAM#KEY for one that a program reaches
    #[arg(value_name = "KEY")]
    key: String,
    /// Read the key's password from the first line of standard input [default: `$COSIGN_PASSWORD`]
    #[arg(long)]
    password_stdin: bool,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Shape,
}

impl Public {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let key = keys::signer(cx, &self.key, self.password_stdin).await?;
        let public = key.public_key();
        let pem = public.to_pem();
        if self.output == Shape::Text {
            cx.io.print(&pem)?;
        } else {
            let value = json!({ "publicKey": pem, "fingerprint": public.fingerprint().to_string() });
            print_value(cx.io, &value, self.output == Shape::Yaml)?;
        }
        Ok(Exit::Success)
    }
}
