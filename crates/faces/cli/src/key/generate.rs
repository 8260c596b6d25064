//! `weir key generate`.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use weir_trust::SigningKey;

use crate::global::Context;
use crate::output::{Shape, print_value};
use crate::{CommandError, Exit, Kind, keys, run::Result};

const EXAMPLES: &str = "\
Examples:
  COSIGN_PASSWORD=... weir key generate
  weir key generate --output-key-prefix release --password-stdin < password
  COSIGN_PASSWORD=... weir key generate --output json

The public key goes to the cluster, in a Secret that `spec.verify.secretRef` of a source names:
  kubectl create secret generic cosign-pub --from-file=cosign.pub -n flux-system";

/// Make a key pair in cosign's format
///
/// Writes `cosign.key`, encrypted with a password, and `cosign.pub`. Files that exist are left alone and are an
/// error. Prints the fingerprint of the key.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Generate {
    /// First part of the two files' names; may hold a folder
    #[arg(long, value_name = "PREFIX", default_value = "cosign")]
    output_key_prefix: PathBuf,
    /// Read the password from the first line of standard input [default: `$COSIGN_PASSWORD`]
    #[arg(long)]
    password_stdin: bool,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Shape,
}

impl Generate {
    pub(crate) fn run(self, cx: &mut Context<'_>) -> Result {
        let (private, public) = (self.with_end(".key"), self.with_end(".pub"));
        if let Some(taken) = [&private, &public].into_iter().find(|path| path.exists()) {
            return Err(CommandError::user(format!("{} exists already", taken.display()))
                .hint("a key that is overwritten is lost: choose other names with `--output-key-prefix`"));
        }
        let password = keys::password(cx, self.password_stdin)?;
        let internal = |error| CommandError::of(Kind::Internal, &error);
        let key = SigningKey::generate().map_err(internal)?;
        let sealed = key.to_encrypted_pem(&password).map_err(internal)?;
        create(&private, &sealed, true).map_err(|error| CommandError::file("write", &private, &error))?;
        create(&public, &key.public_key().to_pem(), false)
            .map_err(|error| CommandError::file("write", &public, &error))?;
        cx.io.talk(&format!(
            "wrote {} (keep it secret) and {}",
            private.display(),
            public.display()
        ));
        let fingerprint = key.public_key().fingerprint().to_string();
        if self.output == Shape::Text {
            cx.io.line(&fingerprint)?;
        } else {
            let value = json!({"privateKey": private, "publicKey": public, "fingerprint": fingerprint});
            print_value(cx.io, &value, self.output == Shape::Yaml)?;
        }
        Ok(Exit::Success)
    }

    fn with_end(&self, end: &str) -> PathBuf {
        let mut path = self.output_key_prefix.clone().into_os_string();
        path.push(end);
        path.into()
    }
}

/// Writes a file that must not exist yet; a private one for its owner only.
fn create(path: &Path, text: &str, private: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(if private { 0o600 } else { 0o644 });
    }
    #[cfg(not(unix))]
    let _ = private;
    options.open(path)?.write_all(text.as_bytes())
}
