//! Who sends a request, and whether they may.

use crate::object;
use crate::options::{Options, User};
use crate::rbac::{self, Action};
use crate::request::ApiRequest;
use crate::state::State;
use crate::status::{Failure, qualified};
use crate::store::Key;
use crate::write::Cx;

/// Finds out who sends the request, whom they act for, and whether that is allowed.
pub(crate) fn check(cx: &Cx<'_>, options: &Options, request: &mut ApiRequest) -> Result<(), Failure> {
    request.user = authenticate(cx, options, request)?;
    request.user = impersonate(cx.state, request)?;
    let action = action_of(request);
    if rbac::authorize(cx.state, &request.user, &action).is_some() {
        return Ok(());
    }
    Err(denied(&request.user, &action))
}

fn authenticate(cx: &Cx<'_>, options: &Options, request: &ApiRequest) -> Result<User, Failure> {
    let in_header = request
        .header("authorization")
        .strip_prefix("Bearer ")
        .map(str::trim);
    let mut user = match in_header.or(request.token.as_deref()) {
        Some(token) => user_of_token(cx.state, token).ok_or_else(Failure::unauthorized)?,
        None => match &options.default_user {
            Some(user) if !request.is_remote => user.clone(),
            _ => return Ok(User::new("system:anonymous", &["system:unauthenticated"])),
        },
    };
    add_group(&mut user, "system:authenticated");
    Ok(user)
}

/// The user that a token stands for.
pub(crate) fn user_of_token(state: &State, token: &str) -> Option<User> {
    let user = state.tokens.get(token)?;
    // A service account's token dies with the account.
    let account = user
        .name
        .strip_prefix("system:serviceaccount:")
        .and_then(|rest| rest.split_once(':'));
    match account {
        Some((namespace, name)) if !user.uid.is_empty() => {
            let found = state
                .store
                .get(&Key::new("", "serviceaccounts"), namespace, name)?;
            (object::uid(found) == user.uid).then(|| user.clone())
        }
        _ => Some(user.clone()),
    }
}

fn add_group(user: &mut User, group: &str) {
    if !user.groups.iter().any(|known| known == group) {
        user.groups.push(group.to_owned());
    }
}

/// The user that the request's headers ask to act as.
fn impersonate(state: &State, request: &ApiRequest) -> Result<User, Failure> {
    let name = request.header("impersonate-user").to_owned();
    let all = |header: &str| -> Vec<String> {
        request
            .headers
            .get_all(header)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .map(str::to_owned)
            .collect()
    };
    let groups = all("impersonate-group");
    let uid = request.header("impersonate-uid").to_owned();
    if name.is_empty() {
        if groups.is_empty() && uid.is_empty() {
            return Ok(request.user.clone());
        }
        return Err(Failure::internal(format!(
            "requested {groups:?} without impersonating a user"
        )));
    }
    let check = |group: &str, resource: &str, namespace: &str, name: &str, subresource: &str| {
        let action = Action {
            verb: "impersonate".into(),
            group: group.into(),
            resource: resource.into(),
            subresource: subresource.into(),
            namespace: namespace.into(),
            name: name.into(),
            path: String::new(),
        };
        match rbac::authorize(state, &request.user, &action) {
            Some(_) => Ok(()),
            None => Err(denied(&request.user, &action)),
        }
    };
    let mut user = User {
        name: name.clone(),
        uid: uid.clone(),
        groups: groups.clone(),
        ..User::default()
    };
    let account = name
        .strip_prefix("system:serviceaccount:")
        .and_then(|rest| rest.split_once(':'));
    match account {
        Some((namespace, account)) => {
            check("", "serviceaccounts", namespace, account, "")?;
            if groups.is_empty() {
                user.groups = vec![
                    "system:serviceaccounts".to_owned(),
                    format!("system:serviceaccounts:{namespace}"),
                ];
            }
        }
        None => check("", "users", "", &name, "")?,
    }
    for group in &groups {
        check("", "groups", "", group, "")?;
    }
    if !uid.is_empty() {
        check("authentication.k8s.io", "uids", "", &uid, "")?;
    }
    for header in request.headers.keys() {
        let Some(key) = header.as_str().strip_prefix("impersonate-extra-") else {
            continue;
        };
        let values = all(header.as_str());
        for value in &values {
            check("authentication.k8s.io", "userextras", "", value, key)?;
        }
        user.extra.insert(key.to_owned(), values);
    }
    if user.name != "system:anonymous" {
        add_group(&mut user, "system:authenticated");
    }
    Ok(user)
}

/// What a request does, as authorization sees it.
pub(crate) fn action_of(request: &ApiRequest) -> Action {
    match request.resource() {
        Some(path) => Action {
            verb: request.verb(&path).to_owned(),
            // A namespace's own requests count as being inside it.
            namespace: if path.resource == "namespaces" && path.group.is_empty() {
                path.name.clone()
            } else {
                path.namespace
            },
            group: path.group,
            resource: path.resource,
            subresource: path.subresource,
            name: path.name,
            path: String::new(),
        },
        None => Action {
            verb: request.method.as_str().to_lowercase(),
            path: request.path(),
            ..Action::default()
        },
    }
}

/// The 403 for an action.
pub(crate) fn denied(user: &User, action: &Action) -> Failure {
    if action.resource.is_empty() {
        let why = format!(
            "User {:?} cannot {} path {:?}",
            user.name, action.verb, action.path
        );
        return Failure::new(403, "Forbidden", format!("forbidden: {why}"))
            .with_details(serde_json::json!({}));
    }
    let scope = if action.namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace {:?}", action.namespace)
    };
    let why = format!(
        "User {:?} cannot {} resource {:?} in API group {:?} {scope}",
        user.name,
        action.verb,
        action.full_resource(),
        action.group
    );
    let object = qualified(&action.group, &action.resource);
    let subject = if action.name.is_empty() {
        object
    } else {
        format!("{object} {:?}", action.name)
    };
    let failure = Failure::forbidden(&action.group, &action.resource, &action.name, &why);
    Failure {
        message: format!("{subject} is forbidden: {why}"),
        ..failure
    }
}
