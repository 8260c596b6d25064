//! `weir check`.

use clap::Args;
use serde_json::{Value, json};

use crate::global::Context;
use crate::kinds::Known;
use crate::output::{self, Shape};
use crate::{Exit, run::Result};

/// The oldest Kubernetes minor version that weir is built for.
const OLDEST_MINOR: u32 = 33;

const EXAMPLES: &str = "\
Examples:
  weir check
  weir check --context production -o json";

/// Check that the cluster can be reached and has what weir needs
///
/// Looks at the API server's version and at the custom resource definitions. Exit code 1 when something is
/// missing.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Check {
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Shape,
}

struct Finding {
    fine: bool,
    what: String,
    says: String,
}

impl Check {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let cluster = cx.cluster().await?;
        let mut findings = Vec::new();
        let work = async {
            let version = cluster.client.raw("/version").await?;
            findings.push(kubernetes(&version));
            for kind in Known::all() {
                let served = cx.serves(&cluster, kind).await?;
                findings.push(Finding {
                    fine: served,
                    what: format!("{}.{}", kind.plural, kind.group),
                    says: if served {
                        format!("{} is served", kind.version)
                    } else {
                        format!(
                            "{} is not served: the custom resource definition is not installed",
                            kind.version
                        )
                    },
                });
            }
            Ok(())
        };
        cx.in_time("the check", work).await?;
        let fine = findings.iter().all(|finding| finding.fine);
        match self.output {
            Shape::Text => {
                for Finding { fine, what, says } in &findings {
                    let mark = if *fine { "ok    " } else { "failed" };
                    cx.io.line(&format!("{mark}  {what}: {says}"))?;
                }
                cx.io
                    .line(&format!("ok      weir: {}", env!("CARGO_PKG_VERSION")))?;
            }
            Shape::Json | Shape::Yaml => {
                let list: Vec<Value> = findings
                    .iter()
                    .map(|finding| json!({"name": finding.what, "ok": finding.fine, "message": finding.says}))
                    .collect();
                let value = json!({"ok": fine, "version": env!("CARGO_PKG_VERSION"), "checks": list});
                output::print_value(cx.io, &value, self.output == Shape::Yaml)?;
            }
        }
        Ok(if fine { Exit::Success } else { Exit::Failure })
    }
}

/// What `/version` says. Minor versions of some providers end in `+`.
fn kubernetes(version: &Value) -> Finding {
    let field = |name: &str| version.get(name).and_then(Value::as_str).unwrap_or_default();
    let minor: Option<u32> = field("minor").trim_end_matches('+').parse().ok();
    let git = field("gitVersion");
    let fine = field("major") != "1" || minor.is_none_or(|minor| minor >= OLDEST_MINOR);
    let says = if fine {
        git.to_owned()
    } else {
        format!("{git} is older than 1.{OLDEST_MINOR}")
    };
    Finding {
        fine,
        what: "Kubernetes".into(),
        says,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let fine = |minor: &str| kubernetes(&json!({"major": "1", "minor": minor, "gitVersion": "v"})).fine;
        assert!(fine("34") && fine("33+") && fine("100") && !fine("32") && !fine("9"));
    }
}
