//! `weir trace`.

use clap::Args;
use serde_json::{Map, Value, json};
use weir_apis::condition::{Conditions, SOURCE_VERIFIED, Status};
use weir_apis::kind::Kustomization;
use weir_apis::{GroupVersionKind, Object, ObjectRef, key};
use weir_source::said;

use crate::global::{Cluster, Context};
use crate::output::{self, Shape, put};
use crate::status::{self, text};
use crate::{CommandError, Exit, discover, run::Result};

/// A Kustomization may be applied by another one; longer chains than this are a circle.
const LONGEST: usize = 32;

const EXAMPLES: &str = "\
Examples:
  weir trace deployment/frontend -n apps
  weir trace deployment frontend -n apps
  weir trace kustomization/apps -o yaml";

/// Show where an object in the cluster came from
///
/// From the object to the Kustomization that applied it, to the source that this was built from: digest, revision,
/// origin, who signed it, and what each VerificationPolicy that is about the source found or missed. Kustomizations that were applied by others are followed to the root.
/// Exit code 1 when nothing here manages the object.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Trace {
    /// The object, as KIND/NAME
    #[arg(value_name = "KIND/NAME")]
    object: String,
    /// The name, where it is not in the first word
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Shape,
}

/// One step from an object towards its origin: a title and facts, in order.
#[derive(Default)]
struct Step {
    title: String,
    facts: Vec<(&'static str, String)>,
    /// The VerificationPolicies that a source was held against.
    policies: Vec<Held>,
}

/// What a policy made of the artifact that a source last looked at.
struct Held {
    policy: String,
    met: bool,
    /// What was found, or what is missing.
    said: String,
}

impl Trace {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let (kind, name) = match (self.object.split_once('/'), self.name.as_deref()) {
            (Some((kind, name)), None) => (kind, name),
            (None, Some(name)) => (self.object.as_str(), name),
            (Some(_), Some(_)) => return Err(CommandError::usage("the name was given twice")),
            (None, None) => return Err(CommandError::usage(format!("`{}` is no KIND/NAME", self.object))),
        };
        let cluster = cx.cluster().await?;
        let steps = cx.in_time("tracing", steps(&cluster, kind, name)).await?;
        let managed = steps.len() > 1;
        match self.output {
            Shape::Text => {
                let parts: Vec<String> = steps.iter().map(Step::render).collect();
                cx.io.print(&parts.join("---\n"))?;
            }
            Shape::Json | Shape::Yaml => {
                let value = Value::Array(steps.iter().map(Step::data).collect());
                output::print_value(cx.io, &value, self.output == Shape::Yaml)?;
            }
        }
        if !managed {
            cx.io
                .talk("no Kustomization manages this object: it has no owner labels");
        }
        Ok(if managed { Exit::Success } else { Exit::Failure })
    }
}

async fn steps(cluster: &Cluster, kind: &str, name: &str) -> Result<Vec<Step>> {
    let gvk = discover::kind(&cluster.client, kind).await?;
    let wanted = ObjectRef::new(gvk, cluster.namespace.clone(), name);
    let wanted = cluster.client.scoped(&wanted).await?;
    let mut object = cluster.must_get(&wanted).await?;
    let mut steps = vec![Step::object(&object)];
    let mut is_first = true;
    for _ in 0..LONGEST {
        let owner = owner(&object);
        if is_first && is_kustomization(&object) {
            // The object is one itself: what it is built from comes before who applied it.
            steps.push(source(cluster, &object).await?);
        }
        is_first = false;
        // A root Kustomization lists itself.
        let Some(owner) = owner.filter(|owner| *owner != object.reference()) else {
            break;
        };
        let Some(kustomization) = cluster.client.get(&owner).await? else {
            steps.push(Step::missing(&owner));
            break;
        };
        steps.push(Step::kustomization(&kustomization));
        steps.push(source(cluster, &kustomization).await?);
        object = kustomization;
    }
    Ok(steps)
}

fn is_kustomization(object: &Object) -> bool {
    object.gvk().group == Kustomization::GROUP && object.kind() == Kustomization::KIND
}

fn owner(object: &Object) -> Option<ObjectRef> {
    let gvk = GroupVersionKind::new(Kustomization::GROUP, Kustomization::VERSION, Kustomization::KIND);
    let name = object.label(key::KUSTOMIZATION_NAME)?;
    let namespace = object.label(key::KUSTOMIZATION_NAMESPACE)?;
    Some(ObjectRef::new(gvk, namespace, name))
}

async fn source(cluster: &Cluster, kustomization: &Object) -> Result<Step> {
    let reference = crate::reconcile::source_of(kustomization)?;
    Ok(match cluster.client.get(&reference).await? {
        Some(source) => Step::source(&source),
        None => Step::missing(&reference),
    })
}

impl Step {
    fn object(object: &Object) -> Self {
        let managed = match owner(object) {
            Some(owner) => format!("by {owner}"),
            None => "by nobody".to_owned(),
        };
        Self {
            title: "Object".into(),
            facts: vec![("Name", object.reference().to_string()), ("Managed", managed)],
            ..Self::default()
        }
    }

    fn missing(reference: &ObjectRef) -> Self {
        Self {
            title: reference.gvk.kind.clone(),
            facts: vec![
                ("Name", reference.to_string()),
                ("Ready", "missing: the object does not exist".into()),
            ],
            ..Self::default()
        }
    }

    fn kustomization(object: &Object) -> Self {
        let mut step = Self::named(object);
        step.fact("Path", text(object, &["spec", "path"]));
        step.fact("Revision", text(object, &["status", "lastAppliedRevision"]));
        step.fact(
            "Origin revision",
            text(object, &["status", "lastAppliedOriginRevision"]),
        );
        step.ready(object);
        step
    }

    fn source(object: &Object) -> Self {
        let artifact = |field: &str| text(object, &["status", "artifact", field]);
        let metadata = |name: &str| text(object, &["status", "artifact", "metadata", name]);
        let mut step = Self::named(object);
        step.fact("URL", &weir_redact::redact_url(text(object, &["spec", "url"])));
        for (title, field) in [("Tag", "tag"), ("Semver", "semver")] {
            step.fact(title, text(object, &["spec", "ref", field]));
        }
        step.fact("Digest", status::digest_of(artifact("revision")));
        step.fact("Revision", artifact("revision"));
        step.fact("Origin revision", metadata(key::OCI_REVISION));
        step.fact(
            "Origin source",
            &weir_redact::redact_url(metadata(key::OCI_SOURCE)),
        );
        step.facts.push(("Verified", verified(object)));
        let said = said(object);
        step.fact("Signed by", said.by.as_deref().unwrap_or_default());
        step.fact("Record", metadata(key::SEQUENCE));
        let held = |met| move |(policy, said): (String, String)| Held { policy, met, said };
        step.policies.extend(said.met.into_iter().map(held(true)));
        step.policies.extend(said.unmet.into_iter().map(held(false)));
        step.ready(object);
        step
    }

    fn named(object: &Object) -> Self {
        Self {
            title: object.kind().to_owned(),
            facts: vec![("Name", object.reference().to_string())],
            ..Self::default()
        }
    }

    fn fact(&mut self, name: &'static str, value: &str) {
        if !value.is_empty() {
            self.facts.push((name, value.to_owned()));
        }
    }

    fn ready(&mut self, object: &Object) {
        let (ready, message) = status::ready(object);
        let suspended = if status::is_suspended(object) {
            ", suspended"
        } else {
            ""
        };
        self.facts.push((
            "Ready",
            format!("{ready}{suspended}: {}", message.replace('\n', " ")),
        ));
    }

    fn render(&self) -> String {
        let mut out = format!("{}\n", self.title);
        for (name, value) in &self.facts {
            put(&mut out, format_args!("  {:<17}{value}\n", format!("{name}:")));
        }
        for Held { policy, met, said } in &self.policies {
            let word = if *met { "met by" } else { "not met:" };
            put(
                &mut out,
                format_args!("  {:<17}'{policy}' is {word} {said}\n", "Policy:"),
            );
        }
        out
    }

    fn data(&self) -> Value {
        let mut facts = Map::new();
        for (name, value) in &self.facts {
            let mut words = name.split(' ').map(str::to_ascii_lowercase);
            let mut field = words.next().unwrap_or_default();
            for word in words {
                let mut letters = word.chars();
                field.extend(letters.next().map(|first| first.to_ascii_uppercase()));
                field.push_str(letters.as_str());
            }
            facts.insert(field, json!(value));
        }
        facts.insert("step".into(), json!(self.title));
        if !self.policies.is_empty() {
            let held = self.policies.iter();
            let held = held.map(|one| json!({"name": one.policy, "met": one.met, "said": one.said}));
            facts.insert("policies".into(), held.collect());
        }
        Value::Object(facts)
    }
}

/// Whether the artifact was verified, in the controller's words; what it says of each policy stands below.
fn verified(source: &Object) -> String {
    let conditions = Conditions::of(source);
    match conditions.get(SOURCE_VERIFIED) {
        Some(condition) if condition.status == Status::True => first_line(&condition.message).to_owned(),
        Some(condition) => format!("no: {}", first_line(&condition.message)),
        None if source.get(&["spec", "verify"]).is_some() => "not yet".into(),
        None => "no: the source asks for no signature".into(),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
