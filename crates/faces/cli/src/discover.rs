//! From a word for a kind, as people type it after `kubectl get`, to the type.

use serde_json::Value;
use weir_apis::GroupVersionKind;
use weir_cluster::Client;

use crate::CommandError;
use crate::run::Result;

/// The type that a word means: kind, plural, singular or short name, with `.group` behind it where several groups
/// have one. weir's own kinds come first, then the core group, then the others in the API server's order.
pub(crate) async fn kind(client: &Client, word: &str) -> Result<GroupVersionKind> {
    let (name, group) = match word.split_once('.') {
        Some((name, group)) => (name, Some(group)),
        None => (word, None),
    };
    if group.is_none()
        && let Some(known) = crate::kinds::Known::all().find(|known| known.answers_to(name))
    {
        return Ok(known.gvk());
    }
    let mut paths = Vec::new();
    if group.is_none() {
        paths.push((String::new(), "v1".to_owned(), "/api/v1".to_owned()));
    }
    let groups = client.raw("/apis").await?;
    for entry in groups
        .get("groups")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let name = entry.get("name").and_then(Value::as_str).unwrap_or_default();
        let version = entry
            .pointer("/preferredVersion/version")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if group.is_none_or(|group| group == name) && !version.is_empty() {
            paths.push((
                name.to_owned(),
                version.to_owned(),
                format!("/apis/{name}/{version}"),
            ));
        }
    }
    for (group, version, path) in paths {
        // A group whose server is down must not hide the others.
        let Ok(list) = client.raw(&path).await else {
            continue;
        };
        if let Some(kind) = find(&list, name) {
            return Ok(GroupVersionKind::new(group, version, kind));
        }
    }
    Err(CommandError::user(format!("the cluster has no kind `{word}`"))
        .hint("write it as `kubectl api-resources` lists it, such as `deployment` or `certificates.cert-manager.io`"))
}

fn find(list: &Value, word: &str) -> Option<String> {
    let resources = list.get("resources")?.as_array()?;
    resources.iter().find_map(|resource| {
        let text = |field: &str| resource.get(field).and_then(Value::as_str).unwrap_or_default();
        let short = resource
            .get("shortNames")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let mut words = [text("name"), text("singularName"), text("kind")]
            .into_iter()
            .chain(short);
        let known = !text("name").contains('/') && words.any(|known| known.eq_ignore_ascii_case(word));
        known.then(|| text("kind").to_owned())
    })
}
