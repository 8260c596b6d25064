//! `weir explain REASON`.

use clap::Args;
use serde_json::json;
use weir_kustomize::near::nearest;

use crate::global::Context;
use crate::output::{Shape, print_value};
use crate::pages;
use crate::{CommandError, Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir explain HealthCheckFailed
  weir explain                      # list every reason
  weir explain --output json";

/// Explain a condition reason: what it means, what causes it, what to do
///
/// Objects say in their conditions, in one word, why they are or are not ready. Without REASON the words are
/// listed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Explain {
    /// The reason, as a condition or an event shows it; upper and lower case do not matter
    #[arg(value_name = "REASON")]
    reason: Option<String>,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Shape,
}

impl Explain {
    pub(crate) fn run(self, cx: &mut Context<'_>) -> Result {
        let yaml = self.output == Shape::Yaml;
        let Some(reason) = self.reason else {
            if self.output != Shape::Text {
                let reasons = pages::PAGES
                    .iter()
                    .map(|(name, page)| json!({"reason": name, "summary": pages::summary(page)}));
                print_value(cx.io, &json!({"reasons": reasons.collect::<Vec<_>>()}), yaml)?;
                return Ok(Exit::Success);
            }
            for (name, page) in pages::PAGES {
                cx.io.line(&format!("{name:<36}{}", pages::summary(page)))?;
            }
            return Ok(Exit::Success);
        };
        let found = pages::PAGES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&reason));
        let Some((name, page)) = found else {
            let names = || pages::PAGES.iter().map(|(name, _)| *name);
            let part = reason.to_ascii_lowercase();
            let mut near: Vec<&str> = names()
                .filter(|name| name.to_ascii_lowercase().contains(&part))
                .collect();
            if near.is_empty() {
                near = nearest(&reason, names());
            }
            let error = CommandError::user(format!("there is no page about `{reason}`"));
            return Err(if near.is_empty() {
                error.hint("`weir explain` lists the reasons that weir sets")
            } else {
                error.hint(format!("did you mean {}?", near.join(", ")))
            });
        };
        if self.output == Shape::Text {
            cx.io.print(page)?;
        } else {
            let value = json!({"reason": name, "summary": pages::summary(page), "page": page});
            print_value(cx.io, &value, yaml)?;
        }
        Ok(Exit::Success)
    }
}
