//! `weir logs`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use futures::stream::select_all;
use futures::{Stream, StreamExt};
use serde_json::{Map, Value};
use weir_apis::{GroupVersionKind, Object};
use weir_cluster::LogOptions;

use crate::global::{Cluster, Context, read_duration};
use crate::run::Result;
use crate::{CommandError, Exit, Kind};

const EXAMPLES: &str = "\
Examples:
  weir logs --kind kustomization --name apps
  weir logs -A --level error --since 1h
  weir logs --follow --tail 20
  weir logs --controllers-namespace flux-system --selector app.kubernetes.io/part-of=flux";

/// Show what the controllers log about objects
///
/// Reads the logs of the controllers' Pods, oldest line first, and shows the lines about objects in one namespace. Lines
/// that are about no object are shown with -A.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Logs {
    /// Only lines about objects of this kind
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only lines about objects of this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only lines this bad or worse
    #[arg(long, value_enum, value_name = "LEVEL")]
    level: Option<Level>,
    /// About objects in all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Go on and show new lines as they come
    #[arg(short, long)]
    follow: bool,
    /// Only the last lines of each Pod [default: all]
    #[arg(long, value_name = "COUNT")]
    tail: Option<u64>,
    /// Only lines newer than this, such as 30s or 2h
    #[arg(long, value_name = "DURATION", value_parser = read_duration)]
    since: Option<Duration>,
    /// Where the controllers run
    #[arg(long, value_name = "NAMESPACE", default_value = crate::install::NAMESPACE)]
    controllers_namespace: String,
    /// Labels of the controllers' Pods
    #[arg(long, value_name = "SELECTOR", default_value = "app.kubernetes.io/name=weir")]
    selector: String,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Form {
    /// Time, level, object and message
    #[default]
    Text,
    /// The lines as they were logged, one JSON object each
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl Logs {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let cluster = cx.cluster().await?;
        let pods = cx.in_time("listing the controllers", self.pods(&cluster)).await?;
        let mut streams = Vec::new();
        for pod in &pods {
            let options = LogOptions {
                container: container(pod),
                follow: self.follow,
                tail: self.tail,
                since: self.since,
            };
            streams.push(cluster.client.log(&pod.reference(), options).await?);
        }
        if self.follow {
            let mut stopped = cx.io.stopped();
            let mut lines = select_all(streams);
            loop {
                tokio::select! {
                    () = &mut stopped => return Ok(Exit::Success),
                    line = lines.next() => match line {
                        Some(line) => self.show(cx, &cluster, &Line::read(line.map_err(broken)?))?,
                        None => return Ok(Exit::Success),
                    },
                }
                cx.io.flush()?;
            }
        }
        let mut lines = Vec::new();
        for stream in streams {
            lines.extend(cx.in_time("reading logs", read_all(stream)).await?);
        }
        // A line without a time stands where it stood, after the one before it.
        let mut last = String::new();
        for line in &mut lines {
            if line.time.is_empty() {
                line.time.clone_from(&last);
            }
            last.clone_from(&line.time);
        }
        lines.sort_by(|a, b| a.time.cmp(&b.time));
        for line in &lines {
            self.show(cx, &cluster, line)?;
        }
        Ok(Exit::Success)
    }

    async fn pods(&self, cluster: &Cluster) -> Result<Vec<Object>> {
        let gvk = GroupVersionKind::new("", "v1", "Pod");
        let pods = cluster
            .client
            .list(&gvk, &self.controllers_namespace, &self.selector)
            .await?;
        if pods.is_empty() {
            let what = format!(
                "no Pods with the labels {} in namespace {}",
                self.selector, self.controllers_namespace
            );
            return Err(CommandError::new(Kind::Outside, what)
                .hint("say where the controllers run with `--controllers-namespace` and `--selector`"));
        }
        Ok(pods)
    }

    fn show(&self, cx: &mut Context<'_>, cluster: &Cluster, line: &Line) -> Result<()> {
        if !self.wants(line, &cluster.namespace) {
            return Ok(());
        }
        match self.output {
            Form::Json => cx.io.line(&line.raw),
            Form::Text => cx.io.line(&line.to_string()),
        }
    }

    fn wants(&self, line: &Line, namespace: &str) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted
                .as_ref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(found))
        };
        let of_kind = self.kind.as_deref().is_none_or(|word| {
            word.eq_ignore_ascii_case(&line.kind)
                || format!("{}s", line.kind).eq_ignore_ascii_case(word)
                || crate::kinds::Known::of(&line.group, &line.kind)
                    .is_some_and(|known| known.answers_to(word))
        });
        of_kind
            && is(&self.name, &line.name)
            && self.level.is_none_or(|least| line.level() >= least)
            && (self.all_namespaces || line.namespace == namespace)
    }
}

/// A controller's own container, where an injected one stands beside it.
fn container(pod: &Object) -> Option<&str> {
    let containers = pod.get(&["spec", "containers"])?.as_array()?;
    let names = || containers.iter().filter_map(|c| c.get("name")?.as_str());
    names()
        .find(|name| matches!(*name, "controller" | "manager"))
        .or_else(|| names().next())
}

async fn read_all(stream: impl Stream<Item = std::io::Result<String>>) -> Result<Vec<Line>> {
    let lines: Vec<std::io::Result<String>> = stream.collect().await;
    lines
        .into_iter()
        .map(|line| line.map(Line::read).map_err(broken))
        .collect()
}

fn broken(error: std::io::Error) -> CommandError {
    CommandError::caused(Kind::Outside, "the log broke off", &error)
}

/// A line of a log.
struct Line {
    raw: String,
    time: String,
    level: String,
    group: String,
    kind: String,
    namespace: String,
    name: String,
    message: String,
}

impl Line {
    /// Reads the JSON that weir's controllers and Flux's print; anything else is a message.
    fn read(raw: String) -> Self {
        let fields: Map<String, Value> = serde_json::from_str(&raw).unwrap_or_default();
        let text = |name: &str| match fields.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let mut message = if fields.is_empty() {
            raw.clone()
        } else {
            text("msg")
        };
        for field in ["revision", "error"] {
            if fields.contains_key(field) {
                message = format!("{message} {field}={}", text(field));
            }
        }
        Self {
            time: text("ts"),
            level: text("level"),
            group: text("controllerGroup"),
            kind: text("controllerKind"),
            namespace: text("namespace"),
            name: text("name"),
            message,
            raw,
        }
    }

    fn level(&self) -> Level {
        match self.level.as_str() {
            "trace" => Level::Trace,
            "debug" => Level::Debug,
            "warn" => Level::Warn,
            "error" => Level::Error,
            _ => Level::Info,
        }
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for word in [&self.time, &self.level] {
            if !word.is_empty() {
                write!(f, "{word} ")?;
            }
        }
        if !self.kind.is_empty() {
            write!(f, "{}/{}.{} - ", self.kind, self.name, self.namespace)?;
        }
        f.write_str(&crate::io::visible(&self.message))
    }
}
