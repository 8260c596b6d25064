//! ValidatingAdmissionPolicies.

use kube_cel::{AdmissionRequest, GroupVersionKind, GroupVersionResource, VapEvaluator, VapExpression};
use serde_json::Value;

use crate::object::{self, at, list, text};
use crate::options::User;
use crate::registry::Served;
use crate::selector::Selector;
use crate::status::Failure;
use crate::store::Key;
use crate::write::Cx;

const GROUP: &str = "admissionregistration.k8s.io";

/// Asks every bound policy about a write.
pub(crate) fn check(
    cx: &mut Cx<'_>,
    served: &Served,
    user: &User,
    operation: &str,
    object: Option<&Value>,
    old: Option<&Value>,
) -> Result<(), Failure> {
    // Policies are not asked about policies.
    if served.key.group == GROUP {
        return Ok(());
    }
    let bindings: Vec<_> = cx
        .state
        .store
        .all(&Key::new(GROUP, "validatingadmissionpolicybindings"))
        .map(std::sync::Arc::clone)
        .collect();
    for binding in bindings {
        let name = text(&binding, &["spec", "policyName"]);
        let found = cx
            .state
            .store
            .get(&Key::new(GROUP, "validatingadmissionpolicies"), "", name);
        let Some(policy) = found.map(std::sync::Arc::clone) else {
            continue;
        };
        let constraints = at(&policy, &["spec", "matchConstraints"]).unwrap_or(&Value::Null);
        let narrower = at(&binding, &["spec", "matchResources"]).unwrap_or(&Value::Null);
        if !matches(cx, served, operation, object.or(old), constraints, true)
            || !matches(cx, served, operation, object.or(old), narrower, false)
        {
            continue;
        }
        for message in violations(cx, served, user, operation, object, old, &policy, &binding) {
            let message = format!(
                "ValidatingAdmissionPolicy '{}' with binding '{}' denied request: {message}",
                object::name(&policy),
                object::name(&binding)
            );
            let actions = list(&binding, &["spec", "validationActions"]);
            if actions.iter().any(|action| action == "Warn") {
                cx.warnings.push(format!("Validation failed for {message}"));
            }
            if actions.iter().any(|action| action == "Deny") {
                return Err(denied(served, object.or(old), &message));
            }
        }
    }
    Ok(())
}

fn denied(served: &Served, object: Option<&Value>, message: &str) -> Failure {
    let name = object.map_or("", object::name);
    let failure = Failure::forbidden(served.group(), served.plural(), name, message);
    let mut details = failure.details.clone().unwrap_or_default();
    object::set(
        &mut details,
        &["causes"],
        serde_json::json!([{"message": message}]),
    );
    Failure {
        code: 422,
        reason: "Invalid",
        ..failure
    }
    .with_details(details)
}

/// Whether match rules select a write. A policy without rules selects nothing, a binding without rules everything.
fn matches(
    cx: &Cx<'_>,
    served: &Served,
    operation: &str,
    object: Option<&Value>,
    rules: &Value,
    needs_rules: bool,
) -> bool {
    let resource_rules = list(rules, &["resourceRules"]);
    if resource_rules.is_empty() && needs_rules {
        return false;
    }
    let selects = |rule: &Value| {
        let has =
            |field: &str, wanted: &str| list(rule, &[field]).iter().any(|one| one == "*" || one == wanted);
        let names = list(rule, &["resourceNames"]);
        has("apiGroups", served.group())
            && has("apiVersions", &served.resource.version)
            && (has("resources", served.plural()) || has("resources", "*/*"))
            && has("operations", operation)
            && (names.is_empty()
                || object.is_some_and(|object| names.iter().any(|name| name == object::name(object))))
    };
    if !resource_rules.is_empty() && !resource_rules.iter().any(selects)
        || list(rules, &["excludeResourceRules"]).iter().any(selects)
    {
        return false;
    }
    let Some(object) = object else { return true };
    let by_object = at(rules, &["objectSelector"])
        .is_none_or(|selector| Selector::from_label_selector(selector).matches_labels(object));
    let home = cx.state.namespace(object::namespace(object));
    let by_namespace = at(rules, &["namespaceSelector"]).is_none_or(|selector| {
        home.is_none_or(|home| Selector::from_label_selector(selector).matches_labels(home))
    });
    by_object && by_namespace
}

/// The messages of all validations that do not hold.
#[expect(clippy::too_many_arguments, reason = "the variables of an expression")]
fn violations(
    cx: &Cx<'_>,
    served: &Served,
    user: &User,
    operation: &str,
    object: Option<&Value>,
    old: Option<&Value>,
    policy: &Value,
    binding: &Value,
) -> Vec<String> {
    let subject = object.or(old);
    let mut request = AdmissionRequest::default();
    operation.clone_into(&mut request.operation);
    request.username.clone_from(&user.name);
    request.uid.clone_from(&user.uid);
    request.groups.clone_from(&user.groups);
    subject.map_or("", object::name).clone_into(&mut request.name);
    subject
        .map_or("", object::namespace)
        .clone_into(&mut request.namespace);
    request.kind = GroupVersionKind {
        group: served.group().to_owned(),
        version: served.resource.version.clone(),
        kind: served.resource.kind.clone(),
    };
    request.resource = GroupVersionResource {
        group: served.group().to_owned(),
        version: served.resource.version.clone(),
        resource: served.plural().to_owned(),
    };
    let mut builder = VapEvaluator::builder()
        .object(object.cloned().unwrap_or_default())
        .request(request);
    if let Some(old) = old {
        builder = builder.old_object(old.clone());
    }
    if let Some(params) = params(cx, policy, binding, subject) {
        builder = builder.params(params);
    }
    if let Some(home) = subject.and_then(|subject| cx.state.namespace(object::namespace(subject))) {
        builder = builder.namespace_object(home.as_ref().clone());
    }
    let evaluator = builder.build();
    let expression = |one: &Value| VapExpression {
        expression: text(one, &["expression"]).to_owned(),
        message: Some(text(one, &["message"]).to_owned()).filter(|message| !message.is_empty()),
        message_expression: Some(text(one, &["messageExpression"]).to_owned())
            .filter(|message| !message.is_empty()),
    };
    let conditions: Vec<VapExpression> = list(policy, &["spec", "matchConditions"])
        .iter()
        .map(expression)
        .collect();
    if evaluator
        .evaluate(&conditions)
        .iter()
        .any(|result| !result.passed)
    {
        return Vec::new();
    }
    let validations: Vec<VapExpression> = list(policy, &["spec", "validations"])
        .iter()
        .map(expression)
        .collect();
    evaluator
        .evaluate(&validations)
        .into_iter()
        .zip(&validations)
        .filter(|(result, _)| !result.passed)
        .map(|(result, one)| {
            // Without a message of its own, a validation is named by its expression.
            let named = one.message.is_some() || one.message_expression.is_some();
            result
                .message
                .filter(|_| named)
                .unwrap_or_else(|| format!("failed expression: {}", one.expression))
        })
        .collect()
}

/// The object that a policy takes its parameters from.
fn params(cx: &Cx<'_>, policy: &Value, binding: &Value, subject: Option<&Value>) -> Option<Value> {
    let kind = at(policy, &["spec", "paramKind"])?;
    let served = cx
        .state
        .registry
        .by_kind(text(kind, &["apiVersion"]), text(kind, &["kind"]))?;
    let own = text(binding, &["spec", "paramRef", "namespace"]);
    let namespace = if own.is_empty() {
        subject.map_or("", object::namespace)
    } else {
        own
    };
    let home = if served.resource.namespaced { namespace } else { "" };
    let found = cx
        .state
        .store
        .get(&served.key, home, text(binding, &["spec", "paramRef", "name"]))?;
    Some(found.as_ref().clone())
}
