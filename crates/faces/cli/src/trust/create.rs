//! `weir trust create`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use weir_verify::{AuthorityPart, InvalidPart, LogPart, RootParts, TrustRoot, TrustedFor, WrongPart};

use crate::global::Context;
use crate::output::json;
use crate::{CommandError, Exit, Kind, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir trust create \\
    --fulcio url=https://fulcio.example,certificate-chain=fulcio.pem \\
    --ctfe url=https://ctfe.example,public-key=ctfe.pub,start-time=2026-01-01T00:00:00Z \\
    --rekor url=https://rekor.example,public-key=rekor.pub,start-time=2026-01-01T00:00:00Z \\
    --tsa url=https://tsa.example/api/v1/timestamp,certificate-chain=tsa.pem > trusted_root.json

An authority that was replaced stays, with its end, for what it signed before:
  weir trust create \\
    --fulcio url=https://old.example,certificate-chain=old.pem,end-time=2026-06-30T00:00:00Z \\
    --fulcio url=https://new.example,certificate-chain=new.pem,start-time=2026-06-01T00:00:00Z ...";

/// Make a trust root of the certificates and keys of a Sigstore instance of your own
///
/// Takes what `cosign trusted-root create` takes, and writes the same document, Sigstore's JSON. A certificate chain is a
/// PEM file with the authority's own certificate first and the root last. What verifiers could not use is an error.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Create {
    /// A certificate authority: url, certificate-chain (a file); start-time and end-time if they are other than the last
    /// certificate's beginning and never. May be repeated
    #[arg(long, value_name = "KEY=VALUE,...", value_parser = read_spec, required = true)]
    fulcio: Vec<Spec>,
    /// A log of an authority's certificates: url, public-key (a file), start-time; end-time if there is one. May be repeated
    #[arg(long, value_name = "KEY=VALUE,...", value_parser = read_spec)]
    ctfe: Vec<Spec>,
    /// A transparency log: as `--ctfe`, and for a tiled log (Rekor v2) its origin. May be repeated
    #[arg(long, value_name = "KEY=VALUE,...", value_parser = read_spec, required = true)]
    rekor: Vec<Spec>,
    /// A timestamp authority: as `--fulcio`. May be repeated
    #[arg(long, value_name = "KEY=VALUE,...", value_parser = read_spec)]
    tsa: Vec<Spec>,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// `key=value,key=value`.
#[derive(Clone, Debug)]
struct Spec(BTreeMap<String, String>);

const URL: &str = "url";
const CHAIN: &str = "certificate-chain";
const KEY: &str = "public-key";
const START: &str = "start-time";
const END: &str = "end-time";
const ORIGIN: &str = "origin";

fn read_spec(text: &str) -> std::result::Result<Spec, String> {
    let mut spec = BTreeMap::new();
    for pair in text.split(',') {
        let (key, value) = pair
            .split_once('=')
            .map(|(key, value)| (key.trim(), value.trim()))
            .filter(|(_, value)| !value.is_empty())
            .ok_or_else(|| format!("`{pair}` is no KEY=VALUE"))?;
        if ![URL, CHAIN, KEY, START, END, ORIGIN].contains(&key) {
            return Err(format!("`{key}` is not known"));
        }
        if spec.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(format!("`{key}` is given twice"));
        }
    }
    Ok(Spec(spec))
}

impl Spec {
    fn optional(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn required(&self, key: &str) -> Result<&str> {
        self.optional(key)
            .ok_or_else(|| CommandError::usage(format!("a service without `{key}`: {}", self.name())))
    }

    /// Refuses what is of no use for this kind of service.
    fn only(&self, keys: &[&str]) -> Result<()> {
        match self.0.keys().find(|key| !keys.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(CommandError::usage(format!(
                "`{key}` says nothing about {}",
                self.name()
            ))),
        }
    }

    fn name(&self) -> &str {
        self.optional(URL).unwrap_or("no url")
    }

    fn file(&self, key: &str) -> Result<String> {
        let path = Path::new(self.required(key)?);
        std::fs::read_to_string(path).map_err(|error| CommandError::file("read", path, &error))
    }

    fn time(&self, key: &str) -> Result<Option<Timestamp>> {
        let read = |text: &str| {
            text.parse().map_err(|error| {
                CommandError::caused(
                    Kind::Usage,
                    format!("cannot read {key} of {}", self.name()),
                    &error,
                )
                .hint("write it as 2026-01-31T00:00:00Z")
            })
        };
        self.optional(key).map(read).transpose()
    }

    fn authority(&self) -> Result<AuthorityPart> {
        self.only(&[URL, CHAIN, START, END])?;
        let (from, until) = (self.time(START)?, self.time(END)?);
        Ok(AuthorityPart {
            url: self.required(URL)?.to_owned(),
            chain: self.file(CHAIN)?,
            from,
            until,
        })
    }

    fn log(&self) -> Result<LogPart> {
        self.only(&[URL, KEY, START, END, ORIGIN])?;
        self.required(START)?;
        let (from, until) = (self.time(START)?.unwrap_or_default(), self.time(END)?);
        Ok(LogPart {
            url: self.required(URL)?.to_owned(),
            key: self.file(KEY)?,
            from,
            until,
            origin: self.optional(ORIGIN).map(str::to_owned),
        })
    }
}

impl Create {
    pub(crate) fn run(self, cx: &mut Context<'_>) -> Result {
        let authorities = |specs: &[Spec]| specs.iter().map(Spec::authority).collect::<Result<_>>();
        let logs = |specs: &[Spec]| specs.iter().map(Spec::log).collect::<Result<_>>();
        let parts = RootParts {
            certificate_authorities: authorities(&self.fulcio)?,
            certificate_logs: logs(&self.ctfe)?,
            signature_logs: logs(&self.rekor)?,
            timestamp_authorities: authorities(&self.tsa)?,
        };
        let document = parts.to_json().map_err(|error| self.explain(&error))?;
        let text = json(&document);
        TrustRoot::from_json(text.as_bytes()).map_err(|error| {
            CommandError::caused(Kind::User, "no verifier could use this trust root", &error)
        })?;
        if self.ctfe.is_empty() {
            cx.io.talk(
                "warning: without `--ctfe` no certificate counts: each one must have been published in a log",
            );
        }
        match &self.out {
            None => cx.io.print(&text)?,
            Some(path) => {
                std::fs::write(path, text).map_err(|error| CommandError::file("write", path, &error))?;
                cx.io.talk(&format!("wrote {}", path.display()));
            }
        }
        Ok(Exit::Success)
    }

    fn explain(&self, wrong: &WrongPart) -> CommandError {
        let (specs, file) = match wrong.role {
            TrustedFor::Certificates => (&self.fulcio, CHAIN),
            TrustedFor::CertificateLog => (&self.ctfe, KEY),
            TrustedFor::SignatureLog => (&self.rekor, KEY),
            _ => (&self.tsa, CHAIN),
        };
        let spec = specs.get(wrong.index);
        let what = match wrong.why {
            InvalidPart::Window { .. } => spec.map(Spec::name),
            _ => spec.and_then(|spec| spec.optional(file)),
        };
        let what = what.unwrap_or_default();
        CommandError::caused(
            Kind::User,
            format!("cannot trust {what} as a {}", wrong.role),
            &wrong.why,
        )
    }
}
