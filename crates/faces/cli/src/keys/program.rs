//! Keys that a program reaches: `exec://PROGRAM#KEY`. docs/guides/keys.md describes the protocol.
//!
//! Only a person names such a program, on the command line. What comes out of a Secret, a variable or a file is a key and never a
//! reference to one, and the controllers know no keys to sign with.

use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use weir_trust::{KeySigner, KeySignerError, ToSign};
use weir_verify::{Algorithm, PublicKey};

use crate::{CommandError, Kind, run::Result};

/// The scheme of such references.
pub(super) const SCHEME: &str = "exec://";

/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 64 << 10;
/// How much of what a program complains is repeated, in bytes.
const MAX_COMPLAINT: usize = 500;

/// A key behind a program.
#[derive(Debug)]
pub(crate) struct Program {
    reference: String,
    path: String,
    key: Option<String>,
    public: PublicKey,
}

impl Program {
    /// Asks the program for the public key of a reference.
    pub(crate) async fn open(reference: &str) -> Result<Self> {
        let (program, key) = read(reference)?;
        let failed = |why: String| {
            CommandError::new(Kind::Outside, format!("{reference} gives no public key"))
                .cause(why)
                .hint("docs/guides/keys.md has the protocol of such programs")
        };
        let answer = ask(program, &request("public-key", key)).await.map_err(failed)?;
        let pem = text(&answer, "publicKey").map_err(failed)?;
        let public = PublicKey::from_pem(pem).map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            reference: reference.to_owned(),
            path: program.to_owned(),
            key: key.map(str::to_owned),
            public,
        })
    }

    pub(crate) fn into_public_key(self) -> PublicKey {
        self.public
    }

    async fn ask_for_signature(&self, content: ToSign<'_>) -> std::result::Result<Vec<u8>, String> {
        let mut request = request("sign", self.key.as_deref());
        let (name, is_message) = match self.public.algorithm() {
            Algorithm::Ed25519 => ("ed25519", true),
            Algorithm::Rsa => ("rsa-pkcs1v15-sha256", false),
            _ => ("ecdsa-sha256", false),
        };
        request["algorithm"] = name.into();
        if is_message {
            request["message"] = STANDARD.encode(content.message()).into();
        } else {
            request["digest"] = STANDARD.encode(content.digest().as_bytes()).into();
        }
        let answer = ask(&self.path, &request).await?;
        let signature = text(&answer, "signature")?;
        STANDARD
            .decode(signature.trim())
            .map_err(|_| "its `signature` is no base64".to_owned())
    }
}

impl KeySigner for Program {
    fn id(&self) -> String {
        self.reference.clone()
    }

    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign<'k>(
        &'k self,
        content: ToSign<'k>,
    ) -> BoxFuture<'k, std::result::Result<Vec<u8>, KeySignerError>> {
        async move {
            let signature = self.ask_for_signature(content).await;
            signature.map_err(|why| KeySignerError::Elsewhere {
                id: self.reference.clone(),
                source: why.into(),
            })
        }
        .boxed()
    }
}

/// The program of a reference, and what it is to call the key.
fn read(reference: &str) -> Result<(&str, Option<&str>)> {
    let rest = reference.strip_prefix(SCHEME).unwrap_or(reference);
    let (program, key) = match rest.split_once('#') {
        Some((program, key)) => (program, Some(key)),
        None => (rest, None),
    };
    if program.is_empty() {
        return Err(CommandError::usage(format!("`{reference}` names no program"))
            .hint("write it as exec:///path/to/program#KEY, or exec://program#KEY for one on the PATH"));
    }
    Ok((program, key))
}

fn request(operation: &str, key: Option<&str>) -> Value {
    json!({ "version": 1, "operation": operation, "key": key })
}

fn text<'v>(answer: &'v Value, field: &str) -> std::result::Result<&'v str, String> {
    answer[field]
        .as_str()
        .ok_or_else(|| format!("its answer has no text `{field}`"))
}

/// Runs the program once, without a shell and without arguments: the request goes in, the answer comes out.
async fn ask(program: &str, request: &Value) -> std::result::Result<Value, String> {
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // With --timeout, and when there is more than it may say.
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot run {program}: {error}"))?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(format!("cannot talk to {program}"));
    };
    let write = async {
        // One that answers without reading closes its end first.
        drop(stdin.write_all(request.to_string().as_bytes()).await);
        drop(stdin);
        Ok(())
    };
    let ((), answer, complaint) = tokio::try_join!(write, answer(stdout), complaint(stderr))?;
    let status = child
        .wait()
        .await
        .map_err(|error| format!("cannot wait for {program}: {error}"))?;
    let answer = serde_json::from_slice::<Value>(&answer);
    if let Ok(answer) = &answer
        && let Some(error) = answer["error"].as_str()
    {
        return Err(shortened(error));
    }
    if !status.success() {
        return Err(format!("the program ended with {status}: {complaint}"));
    }
    answer.map_err(|error| format!("its answer is no JSON: {error}"))
}

async fn answer(stdout: impl AsyncRead + Unpin) -> std::result::Result<Vec<u8>, String> {
    let mut content = Vec::new();
    let read = stdout.take(MAX_ANSWER + 1).read_to_end(&mut content).await;
    let length = read.map_err(|error| format!("cannot read its answer: {error}"))?;
    if u64::try_from(length).is_ok_and(|length| length > MAX_ANSWER) {
        return Err(format!("its answer is longer than {MAX_ANSWER} bytes"));
    }
    Ok(content)
}

/// The beginning of what a program complains; the rest is read, so that it need not wait, and dropped.
async fn complaint(mut stderr: impl AsyncRead + Unpin) -> std::result::Result<String, String> {
    let mut kept = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(length) = stderr.read(&mut piece).await {
        if length == 0 {
            break;
        }
        let room = (MAX_COMPLAINT * 4).saturating_sub(kept.len());
        kept.extend(piece.iter().take(length.min(room)));
    }
    Ok(shortened(&String::from_utf8_lossy(&kept)))
}

/// What fits into a message.
fn shortened(text: &str) -> String {
    let text: String = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_COMPLAINT)
        .collect();
    if text.is_empty() {
        "it says nothing".to_owned()
    } else {
        text
    }
}
