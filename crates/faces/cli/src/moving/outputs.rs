//! What is printed, and written for the next steps of a job.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use weir_oci::{Digest, Repository, Tag};
use weir_trust::Moved;

use crate::global::Context;
use crate::output::{self, Shape};
use crate::{CommandError, run::Result};

/// Options of what is printed.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Shape,
    /// Append `name=value` lines to this file, for the next steps of a job: in GitHub Actions "$GITHUB_OUTPUT", in GitLab
    /// a dotenv report (with `_` for `-`)
    #[arg(long, value_name = "FILE")]
    output_file: Option<PathBuf>,
}

/// How a command ended.
pub(crate) struct Outcome {
    pub(crate) repository: Repository,
    pub(crate) digest: Digest,
    /// Whether the manifest was uploaded.
    pub(crate) pushed: bool,
    pub(crate) tags: Vec<(Tag, Moved)>,
}

impl Outcome {
    fn moved(&self) -> bool {
        self.tags.iter().any(|(_, moved)| moved.moved)
    }

    /// In the names of the action that Flux users know, and some more.
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let (repository, digest) = (&self.repository, &self.digest);
        let tag = self.tags.first().map(|(tag, _)| tag.to_string());
        vec![
            ("pushed", self.pushed.to_string()),
            ("moved", self.moved().to_string()),
            ("digest", digest.to_string()),
            ("digest-url", format!("{repository}@{digest}")),
            ("url", format!("oci://{repository}@{digest}")),
            ("repository", repository.to_string()),
            ("tag", tag.unwrap_or_default()),
        ]
    }

    pub(crate) fn print(&self, cx: &mut Context<'_>, args: &OutputArgs) -> Result<()> {
        if let Some(path) = &args.output_file {
            let mut text = String::new();
            for (name, value) in self.pairs() {
                // A dotenv report takes no dash.
                let name = if cx.io.env("GITLAB_CI").is_some() {
                    name.replace('-', "_")
                } else {
                    name.to_owned()
                };
                output::put(&mut text, format_args!("{name}={value}\n"));
            }
            let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
            file.and_then(|mut file| file.write_all(text.as_bytes()))
                .map_err(|error| CommandError::file("write the outputs to", path, &error))?;
        }
        if args.output == Shape::Text {
            return cx.io.line(&format!("oci://{}@{}", self.repository, self.digest));
        }
        let tags = self.tags.iter().map(|(tag, moved)| {
            let promotion = &moved.record.get().promotion;
            json!({
                "tag": tag.to_string(),
                "moved": moved.moved,
                "recorded": moved.recorded,
                "overtakenBy": moved.overtaken_by.map(|digest| digest.to_string()),
                "cameBefore": moved.again,
                "concerns": moved.concerns.iter().map(|one| json!({"policy": one.rule, "why": one.to_string()})).collect::<Vec<Value>>(),
                "record": promotion.to_predicate(),
            })
        });
        let mut value = json!({
            "pushed": self.pushed,
            "moved": self.moved(),
            "digest": self.digest.to_string(),
            "digest-url": format!("{}@{}", self.repository, self.digest),
            "url": format!("oci://{}@{}", self.repository, self.digest),
            "repository": self.repository.to_string(),
            "tags": tags.collect::<Vec<Value>>(),
        });
        if let Some(((tag, _), map)) = self.tags.first().zip(value.as_object_mut()) {
            map.insert("tag".to_owned(), json!(tag.to_string()));
        }
        output::print_value(cx.io, &value, args.output == Shape::Yaml)
    }
}
