//! Objects that are there before the release has them.

use weir_apis::Object;
use weir_cluster::chain;
use weir_helm::action;

use crate::Context;
use crate::error::{Failure, Reason};

impl Context<'_> {
    /// Which of the objects exist. Unless the release may take them over, they must have its marks.
    pub(crate) async fn existing(
        &self,
        objects: &[&Object],
        take_ownership: bool,
        release_namespace: &str,
    ) -> Result<Vec<Object>, Failure> {
        let mut existing = Vec::new();
        for object in objects {
            let has_no_name =
                action::uses_generated_name(object).map_err(|error| Failure::new(Reason::Objects, error))?;
            if has_no_name {
                continue;
            }
            if object.name().is_empty() {
                let message = format!("{}: resource name may not be empty", action::describe(object));
                return Err(Failure::new(Reason::Objects, message));
            }
            let live = self.client.get(&object.reference()).await.map_err(|error| {
                let message = format!(
                    "could not get information about the resource {}: {}",
                    action::describe(object),
                    chain(&error)
                );
                Failure::new(Reason::Apply, message)
            })?;
            let Some(live) = live else { continue };
            if !take_ownership {
                action::owned_by(&live, self.name, release_namespace).map_err(|error| {
                    let message = format!(
                        "{} exists and cannot be imported into the current release: {error}",
                        action::describe(object)
                    );
                    Failure::new(Reason::Ownership, message)
                })?;
            }
            existing.push((*object).clone());
        }
        Ok(existing)
    }
}
