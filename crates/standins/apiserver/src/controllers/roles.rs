//! Aggregated ClusterRoles: their rules are those of the roles they select.

use std::sync::Arc;

use serde_json::{Value, json};

use super::change;
use crate::object;
use crate::selector::Selector;
use crate::store::Key;
use crate::write::Cx;

/// Brings every aggregated role up to date.
pub(crate) fn aggregate(cx: &mut Cx<'_>) {
    let key = Key::new("rbac.authorization.k8s.io", "clusterroles");
    let roles: Vec<Arc<Value>> = cx.state.store.all(&key).map(Arc::clone).collect();
    for role in &roles {
        let selectors = object::list(role, &["aggregationRule", "clusterRoleSelectors"]);
        if selectors.is_empty() {
            continue;
        }
        let mut rules: Vec<Value> = Vec::new();
        for selector in selectors.iter().map(Selector::from_label_selector) {
            for other in roles
                .iter()
                .filter(|other| object::name(other) != object::name(role))
            {
                if selector.matches_labels(other) {
                    for rule in object::list(other, &["rules"]) {
                        if !rules.contains(rule) {
                            rules.push(rule.clone());
                        }
                    }
                }
            }
        }
        if object::list(role, &["rules"]) != rules {
            change(
                cx,
                &key,
                "",
                object::name(role),
                "",
                "clusterrole-aggregation-controller",
                |role| {
                    object::set(role, &["rules"], json!(rules));
                },
            );
        }
    }
}
