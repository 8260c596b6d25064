//! `weir events`.

use std::collections::HashMap;
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use weir_apis::{GroupVersionKind, Object};

use crate::global::{Cluster, Context};
use crate::output::{self, Format};
use crate::status::text;
use crate::table::Table;
use crate::{CommandError, Exit, run::Result};

/// How often `--watch` looks for news.
const PAUSE: Duration = Duration::from_secs(2);
/// What the groups of all kinds that Flux defines end in.
const GROUPS: &str = "toolkit.fluxcd.io";

const EXAMPLES: &str = "\
Examples:
  weir events
  weir events --for kustomization/apps --watch
  weir events -A --types Warning";

/// Show what happened to objects, oldest first
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Events {
    /// Only events of this object
    #[arg(long = "for", value_name = "KIND/NAME")]
    object: Option<String>,
    /// Only events of these types: Normal, Warning
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    types: Vec<String>,
    /// In all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Go on and show new ones as they come
    #[arg(short, long)]
    watch: bool,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Format,
}

impl Events {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        if self.watch && self.output == Format::Yaml {
            return Err(CommandError::usage(
                "`--watch` prints lines: a table, names or JSON",
            ));
        }
        let object = match self.object.as_deref() {
            None => None,
            Some(text) => match text.split_once('/') {
                Some((kind, name)) if !kind.is_empty() && !name.is_empty() => {
                    Some((kind.to_ascii_lowercase(), name.to_owned()))
                }
                _ => return Err(CommandError::usage(format!("`{text}` is no KIND/NAME"))),
            },
        };
        let cluster = cx.cluster().await?;
        let events = cx
            .in_time("listing events", self.list(&cluster, object.as_ref()))
            .await?;
        if events.is_empty() && !self.watch {
            cx.io.talk("no events found");
        }
        self.print(cx, &events, false)?;
        if !self.watch {
            return Ok(Exit::Success);
        }
        let mut seen: HashMap<String, String> = HashMap::new();
        remember(&mut seen, &events);
        let mut stopped = cx.io.stopped();
        loop {
            cx.io.flush()?;
            tokio::select! {
                () = &mut stopped => return Ok(Exit::Success),
                () = tokio::time::sleep(PAUSE) => {}
            }
            let events = self.list(&cluster, object.as_ref()).await?;
            let news: Vec<Object> = events
                .iter()
                .filter(|event| seen.get(event.uid()).map(String::as_str) != Some(event.resource_version()))
                .cloned()
                .collect();
            seen.clear();
            remember(&mut seen, &events);
            self.print(cx, &news, true)?;
        }
    }

    async fn list(&self, cluster: &Cluster, object: Option<&(String, String)>) -> Result<Vec<Object>> {
        let kind = GroupVersionKind::new("", "v1", "Event");
        let namespace = if self.all_namespaces {
            ""
        } else {
            &cluster.namespace
        };
        let mut events = cluster.client.list(&kind, namespace, "").await?;
        events.retain(|event| {
            let about = |field: &str| text(event, &["involvedObject", field]);
            let of_kind = match object {
                Some((kind, name)) => {
                    about("name") == name && is_kind(about("apiVersion"), about("kind"), kind)
                }
                None => about("apiVersion")
                    .split('/')
                    .next()
                    .unwrap_or_default()
                    .ends_with(GROUPS),
            };
            of_kind
                && (self.types.is_empty()
                    || self
                        .types
                        .iter()
                        .any(|wanted| wanted.eq_ignore_ascii_case(text(event, &["type"]))))
        });
        events.sort_by_cached_key(|event| (last_seen(event), event.name().to_owned()));
        Ok(events)
    }

    fn print(&self, cx: &mut Context<'_>, events: &[Object], more: bool) -> Result<()> {
        if events.is_empty() && (more || !matches!(self.output, Format::Json | Format::Yaml)) {
            return Ok(());
        }
        match self.output {
            Format::Json if self.watch => {
                for event in events {
                    let line = output::without_managed_fields(event).into_value();
                    cx.io.line(&line.to_string())?;
                }
                Ok(())
            }
            Format::Json | Format::Yaml => {
                output::print_value(cx.io, &output::list(events), self.output == Format::Yaml)
            }
            Format::Name => {
                for event in events {
                    cx.io.line(&format!("event/{}", event.name()))?;
                }
                Ok(())
            }
            Format::Table => {
                let rendered = self.table(events, cx.io.now());
                match rendered.split_once('\n') {
                    Some((_, rows)) if more => cx.io.print(rows),
                    _ => cx.io.print(&rendered),
                }
            }
        }
    }

    fn table(&self, events: &[Object], now: Timestamp) -> String {
        let mut headings = vec!["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
        if self.all_namespaces {
            headings.insert(0, "NAMESPACE");
        }
        let mut table = Table::new(&headings);
        for event in events {
            let mut cells = vec![
                last_seen(event).map_or_else(|| "unknown".to_owned(), |at| age(now.duration_since(at))),
                text(event, &["type"]).to_owned(),
                text(event, &["reason"]).to_owned(),
                format!(
                    "{}/{}",
                    text(event, &["involvedObject", "kind"]),
                    text(event, &["involvedObject", "name"])
                ),
                crate::status::short(text(event, &["message"])),
            ];
            if self.all_namespaces {
                cells.insert(0, event.namespace().to_owned());
            }
            table.row(cells);
        }
        table.render()
    }
}

fn remember(seen: &mut HashMap<String, String>, events: &[Object]) {
    seen.extend(
        events
            .iter()
            .map(|event| (event.uid().to_owned(), event.resource_version().to_owned())),
    );
}

/// Whether an object's type is what a person calls `word`.
fn is_kind(api_version: &str, kind: &str, word: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    kind.eq_ignore_ascii_case(word)
        || format!("{kind}s").eq_ignore_ascii_case(word)
        || crate::kinds::Known::of(group, kind).is_some_and(|known| known.answers_to(word))
}

/// When an event happened last; newer clients set other fields than older ones.
fn last_seen(event: &Object) -> Option<Timestamp> {
    let paths: [&[&str]; 4] = [
        &["series", "lastObservedTime"],
        &["lastTimestamp"],
        &["eventTime"],
        &["metadata", "creationTimestamp"],
    ];
    paths.iter().find_map(|path| text(event, path).parse().ok())
}

/// `45s`, `12m`, `5h`, `3d`: one unit, as kubectl shows ages.
pub(crate) fn age(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}
