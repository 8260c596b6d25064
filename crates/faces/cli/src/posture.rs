//! `weir posture`.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use weir_apis::condition::{Conditions, READY};
use weir_apis::kind::{HelmChart, OciRepository, VerificationPolicy};
use weir_apis::{GroupVersionKind, Object};
use weir_cluster::ApiError;
use weir_source::{Said, said};

use crate::global::{Cluster, Context};
use crate::kinds::Known;
use crate::output::{self, Shape};
use crate::status;
use crate::table::Table;
use crate::{CommandError, Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir posture                          # every source, in all namespaces
  weir posture -n apps                  # those of a namespace
  weir posture --fail-on would-fail     # may the policies be enforced?
  weir posture --fail-on unverified -o json | jq '.sources[] | select(.state != \"verified\")'";

/// List by whom each source is verified, and what would be refused if every policy were enforced
///
/// Reads the status of OCIRepositories and HelmCharts; nothing is fetched or verified again. A source is `verified` (by its
/// own `spec.verify` or by a VerificationPolicy), `unverified` (nobody asks for signatures), `would-fail` (a
/// policy with mode `audit` would refuse it), `refused`, or `unknown` (nothing stored yet). Says also when the cluster knows no
/// VerificationPolicies, and which of them are not in force. Exit code 1 when a source is in
/// a state that `--fail-on` names.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Posture {
    /// Fail when a source is in this state; may be repeated
    #[arg(long, value_enum, value_name = "STATE")]
    fail_on: Vec<State>,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Shape,
}

/// How a source stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    /// What it takes is signed as asked
    Verified,
    /// Nobody asks for signatures
    Unverified,
    /// A policy that is only audited would refuse it
    WouldFail,
    /// It was refused
    Refused,
    /// Nothing is stored, and nothing was verified
    Unknown,
}

impl State {
    fn of(source: &Object, said: &Said) -> Self {
        if said.refused {
            Self::Refused
        } else if !said.unmet.is_empty() {
            Self::WouldFail
        } else if said.verified {
            Self::Verified
        } else if status::revision(source).is_empty() {
            Self::Unknown
        } else {
            Self::Unverified
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Unverified => "unverified",
            Self::WouldFail => "would-fail",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

impl Posture {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let cluster = cx.cluster().await?;
        // All namespaces, unless one is asked for.
        let namespace = cx.global.namespace.clone().unwrap_or_default();
        let mut sources: Vec<(&Known, Object)> = Vec::new();
        let mut policies = Policies::default();
        let work = async {
            policies = Policies::of(&cluster).await?;
            let kinds =
                Known::all().filter(|kind| [OciRepository::KIND, HelmChart::KIND].contains(&kind.kind));
            for kind in kinds {
                if cx.serves(&cluster, kind).await? {
                    let found = cluster.client.list(&kind.gvk(), &namespace, "").await?;
                    sources.extend(found.into_iter().map(|object| (kind, object)));
                }
            }
            Ok(())
        };
        cx.in_time("listing sources", work).await?;
        let judged: Vec<(&Known, &Object, Said, State)> = sources
            .iter()
            .map(|(kind, source)| {
                let said = said(source);
                let state = State::of(source, &said);
                (*kind, source, said, state)
            })
            .collect();
        for note in policies.notes() {
            cx.io.talk(&note);
        }
        match self.output {
            Shape::Text => cx.io.print(&table(&judged))?,
            Shape::Json | Shape::Yaml => {
                let list: Vec<Value> = judged.iter().map(data).collect();
                let value = json!({"sources": list, "policies": policies.data()});
                output::print_value(cx.io, &value, self.output == Shape::Yaml)?;
            }
        }
        let failing = judged
            .iter()
            .filter(|(.., state)| self.fail_on.contains(state))
            .count();
        if failing == 0 {
            return Ok(Exit::Success);
        }
        let words: Vec<&str> = self.fail_on.iter().map(|state| state.word()).collect();
        let message = format!("{failing} of {} sources are {}", judged.len(), words.join(" or "));
        Err(CommandError::rejected(message).hint("the list above says which, and why"))
    }
}

/// The VerificationPolicies of a cluster, as far as they can be seen.
#[derive(Default)]
enum Policies {
    /// In the order of their names.
    Seen(Vec<Object>),
    /// Whoever asks may not read them.
    Hidden,
    /// The cluster does not know the kind.
    #[default]
    Unknown,
}

impl Policies {
    async fn of(cluster: &Cluster) -> Result<Self> {
        let kind = GroupVersionKind::new(
            VerificationPolicy::GROUP,
            VerificationPolicy::VERSION,
            VerificationPolicy::KIND,
        );
        match cluster.client.list(&kind, "", "").await {
            Ok(all) => Ok(Self::Seen(all)),
            Err(ApiError::UnknownKind(_)) => Ok(Self::Unknown),
            // A tenant's sources can be listed all the same.
            Err(error) if error.is_forbidden() => Ok(Self::Hidden),
            Err(error) => Err(error.into()),
        }
    }

    /// What is not as it may look.
    fn notes(&self) -> Vec<String> {
        let all = match self {
            Self::Seen(all) => all,
            Self::Hidden => {
                return vec![
                    "VerificationPolicies may not be read with these rights: whether each is in force is not known here".to_owned(),
                ];
            }
            Self::Unknown => {
                return vec![
                    "this cluster does not know VerificationPolicies: sources are held against their own spec.verify alone; \
                     `weir install` defines the kind"
                        .to_owned(),
                ];
            }
        };
        let mut notes = Vec::new();
        for policy in all {
            let (ready, message) = status::ready(policy);
            let name = policy.name();
            if !is_looked_at(policy) {
                notes.push(format!(
                    "policy '{name}': no controller has looked at it as it is now, so nothing says that it is in force"
                ));
            } else if ready != "True" {
                notes.push(format!("policy '{name}': {message}"));
            }
        }
        notes
    }

    fn data(&self) -> Value {
        let Self::Seen(all) = self else {
            return Value::Null;
        };
        let one = |policy: &Object| {
            let (ready, message) = status::ready(policy);
            json!({"name": policy.name(), "mode": status::text(policy, &["spec", "mode"]), "ready": ready,
                "message": message, "lookedAt": is_looked_at(policy)})
        };
        all.iter().map(one).collect()
    }
}

/// Whether a controller has looked at a policy as it is written now: its condition says for which generation it is.
fn is_looked_at(policy: &Object) -> bool {
    let conditions = Conditions::of(policy);
    let ready = conditions.get(READY);
    ready.is_some_and(|ready| ready.observed_generation == Some(policy.generation()))
}

fn table(judged: &[(&Known, &Object, Said, State)]) -> String {
    let mut table = Table::new(&["NAMESPACE", "NAME", "REVISION", "STATE", "POLICIES", "WHY"]);
    for (kind, source, said, state) in judged {
        let mut policies: Vec<&str> = said.met.keys().map(String::as_str).collect();
        policies.extend(said.unmet.keys().map(String::as_str));
        let why = match said.unmet.first_key_value() {
            Some((policy, why)) => format!("policy '{policy}': {why}"),
            None if *state == State::Refused => status::ready(source).1,
            None => said.by.clone().unwrap_or_default(),
        };
        table.row(vec![
            source.namespace().to_owned(),
            format!("{}/{}", kind.word(), source.name()),
            status::short(status::revision(source)),
            state.word().to_owned(),
            if policies.is_empty() {
                "-".to_owned()
            } else {
                policies.join(",")
            },
            status::short(&why),
        ]);
    }
    table.render()
}

fn data((kind, source, said, state): &(&Known, &Object, Said, State)) -> Value {
    json!({
        "kind": kind.kind,
        "namespace": source.namespace(),
        "name": source.name(),
        "revision": status::revision(source),
        "state": state.word(),
        "verifiedBy": said.by,
        "met": said.met,
        "unmet": said.unmet,
    })
}
