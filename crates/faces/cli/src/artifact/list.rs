//! `weir artifact list`.

use clap::Args;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use weir_oci::{Repository, annotation};
use weir_re2::Pattern;
use weir_semver::{Constraint, Version};

use crate::global::Context;
use crate::output::{self, Format};
use crate::remote::{Remote, read_repository};
use crate::table::Table;
use crate::{CommandError, Exit, Kind, run::Result};

/// Manifests asked for at a time.
const AT_ONCE: usize = 8;
/// Ends of tags under which cosign keeps what belongs to an artifact.
const ATTACHED: [&str; 3] = [".sig", ".att", ".sbom"];

const EXAMPLES: &str = "\
Examples:
  weir artifact list oci://ghcr.io/org/apps
  weir artifact list oci://ghcr.io/org/apps --filter-semver '>=1.0.0 <2.0.0'
  weir artifact list oci://ghcr.io/org/apps --filter-regex '^main-' -o json";

/// List the tags of a repository, newest name first
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct List {
    /// The repository: oci://HOST/REPOSITORY
    #[arg(value_name = "REPOSITORY", value_parser = read_repository)]
    repository: Repository,
    /// Only tags that match a regular expression
    #[arg(long, value_name = "REGEX")]
    filter_regex: Option<String>,
    /// Only tags that are versions in a range, highest first
    #[arg(long, value_name = "RANGE")]
    filter_semver: Option<String>,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Format,
    #[command(flatten)]
    remote: Remote,
}

struct Row {
    tag: String,
    digest: String,
    source: String,
    revision: String,
}

impl List {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let client = self.remote.client(cx, &self.repository)?;
        let choose = Choose::new(self.filter_regex.as_deref(), self.filter_semver.as_deref())?;
        let work = async {
            let tags = choose.tags(client.tags(&self.repository).await?);
            let rows = futures::stream::iter(tags)
                .map(|tag| self.row(&client, tag))
                .buffered(AT_ONCE);
            rows.try_filter_map(|row| async { Ok(row) })
                .try_collect::<Vec<Row>>()
                .await
        };
        let rows = cx.in_time("listing the tags", work).await?;
        let url = |row: &Row| format!("oci://{}:{}", self.repository, row.tag);
        match self.output {
            Format::Table => {
                let mut table = Table::new(&["ARTIFACT", "DIGEST", "SOURCE", "REVISION"]);
                for row in &rows {
                    table.row(vec![
                        url(row),
                        row.digest.clone(),
                        row.source.clone(),
                        row.revision.clone(),
                    ]);
                }
                cx.io.print(&table.render())?;
            }
            Format::Name => {
                for row in &rows {
                    cx.io.line(&url(row))?;
                }
            }
            Format::Json | Format::Yaml => {
                let list: Vec<Value> = rows
                    .iter()
                    .map(|row| {
                        json!({"url": url(row), "tag": row.tag, "digest": row.digest, "source": row.source,
                               "revision": row.revision})
                    })
                    .collect();
                output::print_value(cx.io, &Value::Array(list), self.output == Format::Yaml)?;
            }
        }
        Ok(Exit::Success)
    }

    /// What a tag points to; nothing when it is gone meanwhile.
    async fn row(&self, client: &weir_registry::Client, tag: String) -> Result<Option<Row>> {
        let Ok(parsed) = weir_oci::Tag::new(tag.clone()) else {
            return Ok(None);
        };
        let fetched = match client.manifest_at(&self.repository.at_tag(parsed)).await {
            Ok(fetched) => fetched,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let annotation = |key: &str| {
            fetched
                .manifest
                .annotations()
                .get(key)
                .cloned()
                .unwrap_or_default()
        };
        Ok(Some(Row {
            tag,
            digest: fetched.digest.to_string(),
            source: weir_redact::redact_url(&annotation(annotation::SOURCE)),
            revision: annotation(annotation::REVISION),
        }))
    }
}

/// Which tags to show.
struct Choose {
    regex: Option<Pattern>,
    range: Option<Constraint>,
}

impl Choose {
    fn new(regex: Option<&str>, range: Option<&str>) -> Result<Self> {
        let regex = regex
            .map(Pattern::new)
            .transpose()
            .map_err(|error| CommandError::caused(Kind::Usage, "`--filter-regex` cannot be used", &error))?;
        let range = range
            .map(str::parse::<Constraint>)
            .transpose()
            .map_err(|error| CommandError::caused(Kind::Usage, "`--filter-semver` cannot be used", &error))?;
        Ok(Self { regex, range })
    }

    /// The tags to show, in order.
    fn tags(&self, mut tags: Vec<String>) -> Vec<String> {
        tags.retain(|tag| !ATTACHED.iter().any(|end| tag.ends_with(end)));
        if let Some(regex) = &self.regex {
            tags.retain(|tag| regex.is_match(tag));
        }
        match &self.range {
            None => tags.sort_by(|a, b| b.cmp(a)),
            Some(range) => {
                let mut versions: Vec<(Version, String)> = tags
                    .into_iter()
                    .filter_map(|tag| Some((tag.parse::<Version>().ok()?, tag)))
                    .collect();
                versions.retain(|(version, _)| range.matches(version));
                versions.sort_by(|a, b| b.cmp(a));
                tags = versions.into_iter().map(|(_, tag)| tag).collect();
            }
        }
        tags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(regex: Option<&str>, range: Option<&str>) -> Vec<String> {
        let all = ["1.9.0", "1.10.0", "latest", "2.0.0", "sha256-aa.sig"]
            .map(str::to_owned)
            .to_vec();
        Choose::new(regex, range).expect("filters").tags(all)
    }

    #[test]
    fn signatures_are_no_artifacts_and_versions_sort_as_numbers() {
        assert_eq!(tags(None, None), ["latest", "2.0.0", "1.9.0", "1.10.0"]);
        assert_eq!(tags(None, Some("<2.0.0")), ["1.10.0", "1.9.0"]);
        assert_eq!(tags(Some("^1"), None), ["1.9.0", "1.10.0"]);
    }
}
