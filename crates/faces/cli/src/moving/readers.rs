//! What those who read a tag ask of it: the same policies as those of `weir verify`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use weir_oci::Repository;
use weir_verify::{Demands, Identity, IdentityPolicy, KeyPolicy, Mode, Policy, Rule};

use crate::global::Context;
use crate::signer::{Signer, SignerArgs};
use crate::verify::{either, policies_in_files, policies_of_cluster};
use crate::{CommandError, Kind, keys, run::Result};

/// Options that say what readers accept.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("reader_subject").args(["reader_identity", "reader_identity_regexp"]).conflicts_with("reader_key").requires("reader_who")),
    group(ArgGroup::new("reader_who").args(["reader_issuer", "reader_issuer_regexp"]).conflicts_with("reader_key").requires("reader_subject")),
)]
#[expect(
    clippy::struct_field_names,
    reason = "the fields are the options, beside those of the signer with the same names"
)]
pub(super) struct ReaderArgs {
    /// Public key that readers verify with: a file, env://VARIABLE, or k8s://NAMESPACE/SECRET; may be repeated
    /// [default: the signer alone]
    #[arg(long, value_name = "KEY", help_heading = "Reader options")]
    reader_key: Vec<String>,
    /// Whom readers accept as the signer, exactly
    #[arg(long, value_name = "SUBJECT", help_heading = "Reader options")]
    reader_identity: Option<String>,
    /// Whom they accept, as an expression that is searched for: anchor it with ^ and $
    #[arg(long, value_name = "RE2", help_heading = "Reader options")]
    reader_identity_regexp: Option<String>,
    /// Who must vouch for the signer, exactly
    #[arg(long, value_name = "URL", help_heading = "Reader options")]
    reader_issuer: Option<String>,
    /// Who must vouch, as an expression that is searched for
    #[arg(long, value_name = "RE2", help_heading = "Reader options")]
    reader_issuer_regexp: Option<String>,
    /// VerificationPolicies of the clusters that read the tag, in a file, whatever they match; what an enforced one refuses gets no
    /// tag. Secrets that they refer to may be in it. They are asked besides the above; may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Reader options")]
    reader_policy: Vec<PathBuf>,
    /// Ask the VerificationPolicies of the cluster of this context that are about an OCIRepository of this address in the namespace
    /// of `--namespace`, as it is to read the tag; may be repeated
    #[arg(long, value_name = "CONTEXT", help_heading = "Reader options")]
    reader_cluster: Vec<String>,
}

impl ReaderArgs {
    /// What the policies in files and of clusters ask. One that cannot be used and would refuse everything is an error before anything is
    /// written.
    pub(super) async fn demands(&self, cx: &mut Context<'_>, repository: &Repository) -> Result<Demands> {
        let mut rules = Vec::new();
        if !self.reader_policy.is_empty() {
            rules = policies_in_files(&self.reader_policy).await?;
            // Whoever names a file means all of it.
            for rule in &rules {
                usable(rule, "of `--reader-policy`")?;
            }
        }
        for context in &self.reader_cluster {
            for rule in policies_of_cluster(cx, context, repository).await? {
                if rule.mode == Mode::Enforce {
                    usable(&rule, &format!("of the cluster of `--reader-cluster {context}`"))?;
                }
                rules.push(rule);
            }
        }
        Ok(Demands { own: None, rules })
    }

    pub(super) async fn policy(
        &self,
        cx: &mut Context<'_>,
        args: &SignerArgs,
        signer: &Signer,
    ) -> Result<Option<Policy>> {
        if !self.reader_key.is_empty() {
            let mut public = Vec::new();
            for name in &self.reader_key {
                public.push((name.clone(), keys::public(cx, name).await?));
            }
            return by_keys(public).map(Some);
        }
        let issuer = either(
            self.reader_issuer.as_deref(),
            self.reader_issuer_regexp.as_deref(),
        )?;
        let subject = either(
            self.reader_identity.as_deref(),
            self.reader_identity_regexp.as_deref(),
        )?;
        if let Some((issuer, subject)) = issuer.zip(subject) {
            let identity =
                Identity::new(issuer, subject).map_err(|error| CommandError::of(Kind::Usage, &error))?;
            let policy = by_identity(args, identity)?;
            for warning in policy.warnings() {
                cx.io.talk(&format!("warning: {warning}"));
            }
            return Ok(Some(Policy::Identities(policy)));
        }
        match signer {
            Signer::Key(key) => {
                let name = args.key_name().unwrap_or("the signer's").to_owned();
                by_keys(vec![(name, key.public_key().clone())]).map(Some)
            }
            Signer::Identity(_) => {
                let identity = args.expected()?;
                let policy = identity.map(|identity| by_identity(args, identity)).transpose()?;
                Ok(policy.map(Policy::Identities))
            }
        }
    }
}

fn usable(rule: &Rule, place: &str) -> Result<()> {
    let Err(why) = &rule.asks else { return Ok(()) };
    let message = format!("the VerificationPolicy '{}' {place} cannot be used", rule.name);
    Err(CommandError::user(message).cause(why.clone()))
}

/// A policy of the identities one of which the token in hand will probably be given; nothing with a key, and for tokens of other kinds.
pub(super) fn likely_policy(args: &SignerArgs, signer: &Signer) -> Result<Option<Policy>> {
    let Signer::Identity(holder) = signer else {
        return Ok(None);
    };
    let identities = holder.token.likely_identities();
    if identities.is_empty() {
        return Ok(None);
    }
    by_identities(args, identities).map(|policy| Some(Policy::Identities(policy)))
}

/// A policy of exactly this signer.
pub(super) fn policy_of(args: &SignerArgs, signer: &weir_verify::Signer) -> Result<Policy> {
    let weir_verify::Signer::Identity { subject, issuer, .. } = signer else {
        return Err(CommandError::new(Kind::Internal, "the certificate names nobody"));
    };
    let identity =
        Identity::exact(issuer, subject).map_err(|error| CommandError::of(Kind::Rejected, &error))?;
    by_identity(args, identity).map(Policy::Identities)
}

fn by_keys(keys: Vec<(String, weir_verify::PublicKey)>) -> Result<Policy> {
    let policy = KeyPolicy::new(keys).map_err(|error| CommandError::of(Kind::Usage, &error))?;
    Ok(Policy::Keys(policy))
}

fn by_identity(args: &SignerArgs, identity: Identity) -> Result<IdentityPolicy> {
    by_identities(args, vec![identity])
}

fn by_identities(args: &SignerArgs, identities: Vec<Identity>) -> Result<IdentityPolicy> {
    IdentityPolicy::new(args.root()?, identities).map_err(|error| CommandError::of(Kind::Usage, &error))
}
