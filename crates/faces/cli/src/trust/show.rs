//! `weir trust show`.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use weir_trust::{Known, Seen};
use weir_verify::{TrustRoot, Trusted, TrustedCertificate, TrustedFor};

use super::{read_root, update};
use crate::global::Context;
use crate::output::{Shape, print_value, put};
use crate::table::Table;
use crate::{CommandError, Exit, run::Result};

/// From which age on the shipped root is called old: Sigstore's instance has had new keys about twice a year.
const OLD: SignedDuration = SignedDuration::from_hours(24 * 180);

const EXAMPLES: &str = "\
Examples:
  weir trust show
  weir trust show trust
  weir trust show trusted_root.json --output json";

/// Show whom a trust root trusts: authorities and logs, with the time in which each one counts
///
/// Without an argument it is the root of Sigstore's public-good instance that is part of weir; a folder is one of
/// `weir trust update`. What has ended still counts for what was signed in its time.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Show {
    /// A trust root, Sigstore's JSON, or a folder of `weir trust update`
    #[arg(value_name = "FILE")]
    root: Option<PathBuf>,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Shape,
}

/// A root, and how new it is known to be.
struct Shown {
    name: String,
    root: TrustRoot,
    /// The day of the root that is part of the program.
    shipped: Option<Timestamp>,
    seen: Vec<Seen>,
}

impl Show {
    pub(crate) fn run(self, cx: &mut Context<'_>) -> Result {
        let shown = match &self.root {
            None => Shown {
                name: "Sigstore's public-good instance, as shipped".to_owned(),
                root: TrustRoot::public_good(),
                shipped: Some(TrustRoot::public_good_day()),
                seen: Vec::new(),
            },
            Some(path) => from_disk(path)?,
        };
        let now = cx.io.now();
        for warning in shown.warnings(now) {
            cx.io.talk(&format!("warning: {warning}"));
        }
        if self.output == Shape::Text {
            cx.io.print(&shown.text(now))?;
        } else {
            print_value(cx.io, &shown.data(now), self.output == Shape::Yaml)?;
        }
        Ok(Exit::Success)
    }
}

fn from_disk(path: &Path) -> Result<Shown> {
    let (file, seen) = if path.is_dir() {
        let metadata = path.join(update::METADATA);
        let known = Known::read(&metadata)
            .map_err(|error| CommandError::file("read what is known in", &metadata, &error))?;
        (path.join("trusted_root.json"), known.seen())
    } else {
        (path.to_owned(), Vec::new())
    };
    Ok(Shown {
        name: file.display().to_string(),
        root: read_root(&file)?,
        shipped: None,
        seen,
    })
}

impl Shown {
    fn warnings(&self, now: Timestamp) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(day) = self.shipped
            && now.duration_since(day) > OLD
        {
            warnings.push(format!(
                "this root was the newest on {}, long ago; get today's with `weir trust update`",
                date(day)
            ));
        }
        if let Some(timestamp) = self.seen.iter().find(|one| one.role == "timestamp")
            && timestamp.expires < now
        {
            warnings.push(format!(
                "whether this root is still the newest was known until {}; see with `weir trust update`",
                timestamp.expires
            ));
        }
        for role in [
            TrustedFor::Certificates,
            TrustedFor::SignatureLog,
            TrustedFor::CertificateLog,
        ] {
            let mut some = self.root.trusted().into_iter().filter(|one| one.role == role);
            if !some.any(|one| one.is_trusted_at(now)) {
                warnings.push(format!("no {role} of this root counts for what is signed today"));
            }
        }
        warnings
    }

    fn text(&self, now: Timestamp) -> String {
        let mut text = format!("{}\n", self.name);
        if let Some(day) = self.shipped {
            put(&mut text, format_args!("the newest on {}\n", date(day)));
        }
        for one in &self.seen {
            put(
                &mut text,
                format_args!(
                    "{} version {}, good until {}\n",
                    one.role, one.version, one.expires
                ),
            );
        }
        put(
            &mut text,
            format_args!("fingerprint {}\n\n", self.root.fingerprint()),
        );
        let mut table = Table::new(&["TRUSTED AS", "WHERE", "FROM", "UNTIL", "COUNTS", "WHAT"]);
        for one in self.root.trusted() {
            table.row(vec![
                one.role.to_string(),
                one.url.clone(),
                one.from.map_or_else(|| "ever".to_owned(), date),
                one.until.map_or_else(|| "further notice".to_owned(), date),
                counts(&one, now).to_owned(),
                what(&one),
            ]);
        }
        text.push_str(&table.render());
        text
    }

    fn data(&self, now: Timestamp) -> Value {
        let trusted = self.root.trusted();
        let seen = self.seen.iter().map(|one| {
            let facts = json!({ "version": one.version, "expires": one.expires.to_string() });
            (one.role.clone(), facts)
        });
        json!({
            "root": self.name,
            "newestOn": self.shipped.map(|day| day.to_string()),
            "tuf": seen.collect::<Map<_, _>>(),
            "fingerprint": self.root.fingerprint().to_string(),
            "warnings": self.warnings(now),
            "trusted": trusted.iter().map(|one| entry(one, now)).collect::<Vec<_>>(),
        })
    }
}

fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// Whether somebody counts for what is signed now.
fn counts(one: &Trusted, now: Timestamp) -> &'static str {
    if one.is_trusted_at(now) {
        "now"
    } else if one.until.is_some_and(|until| until < now) {
        "ended"
    } else {
        "not yet"
    }
}

fn what(one: &Trusted) -> String {
    if let Some(key) = &one.key {
        return format!("{} {}", key.kind, key.log_id);
    }
    let subjects = one.certificates.iter().map(|one| {
        let until = one.valid.map(|(_, until)| format!(" until {}", date(until)));
        format!("{}{}", one.subject, until.unwrap_or_default())
    });
    subjects.collect::<Vec<_>>().join(" ← ")
}

fn entry(one: &Trusted, now: Timestamp) -> Value {
    json!({
        "as": one.role.to_string(),
        "url": one.url,
        "from": one.from.map(|at| at.to_string()),
        "until": one.until.map(|at| at.to_string()),
        "counts": counts(one, now),
        "key": one.key.as_ref().map(|key| json!({ "logId": key.log_id, "kind": key.kind })),
        "certificates": one.certificates.iter().map(certificate).collect::<Vec<_>>(),
    })
}

fn certificate(one: &TrustedCertificate) -> Value {
    json!({
        "subject": one.subject,
        "from": one.valid.map(|(from, _)| from.to_string()),
        "until": one.valid.map(|(_, until)| until.to_string()),
        "fingerprint": one.fingerprint.to_string(),
    })
}
