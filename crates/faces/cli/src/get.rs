//! `weir get`.

use clap::Args;
use weir_apis::Object;

use crate::global::Context;
use crate::kinds::{Known, Words};
use crate::output::{self, Format};
use crate::status;
use crate::table::Table;
use crate::{CommandError, Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir get all                               # every kind, in one table
  weir get kustomizations -A                 # in all namespaces
  weir get ks --status-selector ready=false  # only what needs a look
  weir get source oci apps -o yaml           # one object, whole";

/// List objects and how they are
///
/// The table shows digests with eight digits; JSON and YAML are exact. Besides the kinds, `sources` and `all`
/// are words for KIND; kinds whose definitions are not installed are left out of both.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Get {
    #[command(flatten)]
    words: Words,
    /// In all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Only objects with these labels, such as `app=web,tier!=test`
    #[arg(
        short = 'l',
        long,
        value_name = "LABELS",
        default_value = "",
        hide_default_value = true
    )]
    selector: String,
    /// Only objects whose condition has this status, such as `ready=false`
    #[arg(long, value_name = "TYPE=STATUS")]
    status_selector: Option<String>,
    /// Leave out the headings
    #[arg(long)]
    no_header: bool,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Format,
}

impl Get {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let selection = self.words.select(true)?;
        let wanted = self.status_selector.as_deref().map(read_condition).transpose()?;
        let cluster = cx.cluster().await?;
        let several = selection.kinds.len() > 1;
        let mut found: Vec<(&Known, Object)> = Vec::new();
        let work = async {
            for kind in &selection.kinds {
                if several && !cx.serves(&cluster, kind).await? {
                    continue;
                }
                let objects = cluster
                    .find(kind, &selection.names, self.all_namespaces, &self.selector)
                    .await?;
                found.extend(objects.into_iter().map(|object| (*kind, object)));
            }
            Ok(())
        };
        cx.in_time("listing objects", work).await?;
        if let Some((kind, status)) = &wanted {
            found.retain(|(_, object)| has_condition(object, kind, status));
        }
        if found.is_empty() && self.output != Format::Json && self.output != Format::Yaml {
            let place = if self.all_namespaces {
                "any namespace".to_owned()
            } else {
                format!("namespace {}", cluster.namespace)
            };
            let kinds: Vec<&str> = selection.kinds.iter().map(|kind| kind.plural).collect();
            cx.io.talk(&format!("no {} found in {place}", kinds.join(" or ")));
            return Ok(Exit::Success);
        }
        match self.output {
            Format::Table => cx.io.print(&self.table(&found, several))?,
            Format::Name => {
                for (kind, object) in &found {
                    cx.io.line(&kind.full_name(object.name()))?;
                }
            }
            Format::Json | Format::Yaml => {
                let value = match found.as_slice() {
                    [(_, object)] if !selection.names.is_empty() => {
                        output::without_managed_fields(object).into_value()
                    }
                    _ => output::list(&found.iter().map(|(_, object)| object.clone()).collect::<Vec<_>>()),
                };
                output::print_value(cx.io, &value, self.output == Format::Yaml)?;
            }
        }
        Ok(Exit::Success)
    }

    fn table(&self, found: &[(&Known, Object)], several: bool) -> String {
        let mut headings = vec!["NAME", "REVISION", "SUSPENDED", "READY", "MESSAGE"];
        if self.all_namespaces {
            headings.insert(0, "NAMESPACE");
        }
        let mut table = Table::new(&headings);
        for (kind, object) in found {
            let (ready, message) = status::ready(object);
            let name = if several {
                format!("{}/{}", kind.word(), object.name())
            } else {
                object.name().to_owned()
            };
            let suspended = if status::is_suspended(object) {
                "True"
            } else {
                "False"
            };
            let mut cells = vec![
                name,
                status::short(status::revision(object)),
                suspended.to_owned(),
                ready,
                status::short(&message),
            ];
            if self.all_namespaces {
                cells.insert(0, object.namespace().to_owned());
            }
            table.row(cells);
        }
        let text = table.render();
        match text.split_once('\n') {
            Some((_, rows)) if self.no_header => rows.to_owned(),
            _ => text,
        }
    }
}

fn read_condition(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((kind, status)) if !kind.is_empty() && !status.is_empty() => {
            Ok((kind.to_owned(), status.to_owned()))
        }
        _ => Err(CommandError::usage(format!("`{text}` is no condition")).hint("write it as `ready=false`")),
    }
}

fn has_condition(object: &Object, kind: &str, status: &str) -> bool {
    let conditions = weir_apis::condition::Conditions::of(object).sorted();
    let found = conditions
        .iter()
        .find(|condition| condition.kind.eq_ignore_ascii_case(kind));
    // What nobody has said yet is unknown.
    let said = found.map_or_else(|| "Unknown".to_owned(), |condition| condition.status.to_string());
    said.eq_ignore_ascii_case(status)
}
