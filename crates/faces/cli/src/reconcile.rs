//! `weir reconcile`.

use clap::Args;
use serde_json::{Value, json};
use weir_apis::kind::{HelmChart, HelmRelease};
use weir_apis::{GroupVersionKind, Object, ObjectRef, key};

use crate::follow::{Until, until_ready};
use crate::global::{Cluster, Context};
use crate::kinds::{Known, Words};
use crate::output::{Shape, identity, print_value};
use crate::status;
use crate::{CommandError, Exit, Io, run::Result};

/// Field manager of what these commands write.
pub(crate) const MANAGER: &str = "weir-cli";

const EXAMPLES: &str = "\
Examples:
  weir reconcile kustomization apps                # now, instead of at the next interval
  weir reconcile ks apps --with-source             # fetch its source first
  weir reconcile source oci apps --timeout 30s
  weir reconcile ks apps --output json             # the revision, for programs";

/// Reconcile objects now, and wait for the outcome
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Reconcile {
    #[command(flatten)]
    words: Words,
    /// First reconcile the source that a Kustomization is built from, or a HelmRelease's chart
    #[arg(long)]
    with_source: bool,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Shape,
}

impl Reconcile {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let (kind, names) = self.words.named()?;
        if self.with_source && kind.is_source() {
            return Err(CommandError::usage(format!(
                "`--with-source` is for what has a source, {} is one",
                kind.kind
            )));
        }
        let cluster = cx.cluster().await?;
        let mut outcomes = Outcomes::new(self.output);
        for name in &names {
            let reference = cluster.reference(kind, name);
            if self.with_source {
                let object = cluster.must_get(&reference).await?;
                let source = source_of(&object)?;
                let source = now(cx, &cluster, &source).await?;
                outcomes.tell(cx.io, &source)?;
            }
            let object = now(cx, &cluster, &reference).await?;
            outcomes.tell(cx.io, &object)?;
        }
        outcomes.finish(cx.io)
    }
}

/// Requests a reconcile and waits for its outcome.
async fn now(cx: &mut Context<'_>, cluster: &Cluster, reference: &ObjectRef) -> Result<Object> {
    let deadline = cx.deadline();
    let object = cluster.must_get(reference).await?;
    if status::is_suspended(&object) {
        let word = reference.gvk.kind.to_ascii_lowercase();
        return Err(CommandError::rejected(format!("{reference} is suspended"))
            .hint(format!("`weir resume {word} {}` lets it go on", reference.name)));
    }
    let token = token(cx, &object);
    let patch = json!({"metadata": {"annotations": {key::REQUESTED_AT: token}}});
    cluster.client.merge(reference, &patch, MANAGER).await?;
    cx.io.talk(&format!("{reference}: reconcile requested"));
    let until = Until {
        token: Some(&token),
        digest: None,
        first_failure: true,
    };
    until_ready(cx, cluster, reference, until, deadline).await
}

/// What became of objects: a line each as it happens, or all of them as data at the end.
pub(crate) struct Outcomes {
    shape: Shape,
    objects: Vec<Value>,
}

impl Outcomes {
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            shape,
            objects: Vec::new(),
        }
    }

    /// Tells of an object that is ready.
    pub(crate) fn tell(&mut self, io: &mut Io, object: &Object) -> Result<()> {
        let reference = object.reference();
        if self.shape == Shape::Text {
            return io.line(&format!("{reference} {}", outcome(object)));
        }
        let mut told = identity(&reference);
        told.insert("ready".to_owned(), json!(true));
        told.insert("revision".to_owned(), json!(status::revision(object)));
        told.insert("message".to_owned(), json!(status::ready(object).1));
        self.objects.push(told.into());
        Ok(())
    }

    /// Tells of an object that was suspended or resumed.
    pub(crate) fn tell_suspended(
        &mut self,
        io: &mut Io,
        reference: &ObjectRef,
        suspended: bool,
    ) -> Result<()> {
        if self.shape == Shape::Text {
            let word = if suspended { "suspended" } else { "resumed" };
            return io.line(&format!("{reference} {word}"));
        }
        let mut told = identity(reference);
        told.insert("suspended".to_owned(), json!(suspended));
        self.objects.push(told.into());
        Ok(())
    }

    /// Prints what only the whole can.
    pub(crate) fn finish(self, io: &mut Io) -> Result {
        if self.shape != Shape::Text {
            print_value(io, &json!({"objects": self.objects}), self.shape == Shape::Yaml)?;
        }
        Ok(Exit::Success)
    }
}

/// `applied latest@sha256:…`, or the words of its Ready condition.
fn outcome(object: &Object) -> String {
    let revision = status::revision(object);
    let known = Known::of(&object.gvk().group, object.kind());
    match known {
        Some(kind) if !revision.is_empty() => {
            format!(
                "{} {revision}",
                if kind.is_source() { "fetched" } else { "applied" }
            )
        }
        _ => status::ready(object).1,
    }
}

/// A value that the object has not carried before: the time.
fn token(cx: &Context<'_>, object: &Object) -> String {
    let now = cx.io.now().to_string();
    match object.annotation(key::REQUESTED_AT) {
        Some(old) if old == now => format!("{now}+"),
        _ => now,
    }
}

/// The source that an object is built from.
pub(crate) fn source_of(object: &Object) -> Result<ObjectRef> {
    // A HelmRelease names its chart, or has one made for it.
    let made = status::text(object, &["status", "helmChart"]);
    if let Some((namespace, name)) = made.split_once('/') {
        let gvk = GroupVersionKind::new(HelmChart::GROUP, HelmChart::VERSION, HelmChart::KIND);
        return Ok(ObjectRef::new(gvk, namespace, name));
    }
    let place = if object.kind() == HelmRelease::KIND {
        "chartRef"
    } else {
        "sourceRef"
    };
    let field = |name: &str| status::text(object, &["spec", place, name]);
    let (kind, name) = (field("kind"), field("name"));
    if kind.is_empty() || name.is_empty() {
        return Err(CommandError::user(format!(
            "{} names no source",
            object.reference()
        )));
    }
    let api_version = match field("apiVersion") {
        "" => "source.toolkit.fluxcd.io/v1",
        given => given,
    };
    let namespace = match field("namespace") {
        "" => object.namespace(),
        given => given,
    };
    Ok(ObjectRef::new(
        GroupVersionKind::from_api_version(api_version, kind),
        namespace,
        name,
    ))
}
