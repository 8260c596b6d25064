//! What the server serves, told in both ways: group by group, and all at once.

use serde_json::{Value, json};

use crate::registry::{Registry, Served};
use crate::reply::Reply;
use crate::request::ApiRequest;

/// The answer of the old form is this type; the new one carries parameters that clients compare.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// The path parts of a discovery request, answered.
pub(crate) fn answer(registry: &Registry, request: &ApiRequest) -> Option<Reply> {
    let parts: Vec<&str> = request.parts.iter().map(String::as_str).collect();
    let aggregated = request.header("accept").split(',').any(|kind| {
        kind.contains("as=APIGroupDiscoveryList") && kind.contains("v=v2") && !kind.contains("v=v2beta1")
    });
    let value = match parts.as_slice() {
        ["api"] if aggregated => return Some(aggregate(registry, true)),
        ["apis"] if aggregated => return Some(aggregate(registry, false)),
        ["api"] => json!({
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:443"}],
        }),
        ["apis"] => {
            let groups: Vec<Value> = groups(registry)
                .iter()
                .filter(|(name, _)| !name.is_empty())
                .map(|(name, versions)| group(name, versions))
                .collect();
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        }
        ["apis", name] => {
            let found = groups(registry).into_iter().find(|(known, _)| known == name)?;
            let mut value = group(&found.0, &found.1);
            value["kind"] = json!("APIGroup");
            value["apiVersion"] = json!("v1");
            value
        }
        ["api", version] => resource_list(registry, "", version)?,
        ["apis", name, version] => resource_list(registry, name, version)?,
        _ => return None,
    };
    Some(Reply::json(200, value))
}

/// Groups in order of first mention, each with its versions, best first.
fn groups(registry: &Registry) -> Vec<(String, Vec<String>)> {
    let mut out: Vec<(String, Vec<String>)> = Vec::new();
    for served in registry.all() {
        let resource = &served.resource;
        let versions = if let Some((_, versions)) = out.iter_mut().find(|(name, _)| *name == resource.group) {
            versions
        } else {
            out.push((resource.group.clone(), Vec::new()));
            let Some((_, versions)) = out.last_mut() else {
                continue;
            };
            versions
        };
        if !versions.contains(&resource.version) {
            versions.push(resource.version.clone());
        }
    }
    for (_, versions) in &mut out {
        versions.sort_by_key(|version| std::cmp::Reverse(version_rank(version)));
    }
    out
}

/// Kubernetes' order of versions: stable over beta over alpha over others, higher numbers first.
pub(crate) fn version_rank(version: &str) -> (u8, u64, u64) {
    let Some(rest) = version.strip_prefix('v') else {
        return (0, 0, 0);
    };
    let digits = rest
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(rest.len());
    let (major, suffix) = rest.split_at(digits);
    let Ok(major) = major.parse() else {
        return (0, 0, 0);
    };
    let minor = |name: &str| suffix.strip_prefix(name).and_then(|number| number.parse().ok());
    if suffix.is_empty() {
        (3, major, 0)
    } else if let Some(minor) = minor("beta") {
        (2, major, minor)
    } else if let Some(minor) = minor("alpha") {
        (1, major, minor)
    } else {
        (0, 0, 0)
    }
}

fn group(name: &str, versions: &[String]) -> Value {
    let entry = |version: &String| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let listed: Vec<Value> = versions.iter().map(entry).collect();
    json!({"name": name, "versions": listed, "preferredVersion": versions.first().map(entry)})
}

fn resource_list(registry: &Registry, group: &str, version: &str) -> Option<Value> {
    if !registry.has_version(group, version) {
        return None;
    }
    let mut resources = Vec::new();
    let of_version = |served: &&std::sync::Arc<Served>| {
        served.resource.group == group && served.resource.version == version
    };
    for served in registry.all().filter(of_version) {
        resources.extend(resource_entries(served));
    }
    let group_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    let mut out = json!({"kind": "APIResourceList", "groupVersion": group_version, "resources": resources});
    if !group.is_empty() {
        out["apiVersion"] = json!("v1");
    }
    Some(out)
}

/// A resource and its subresources, in the old form.
fn resource_entries(served: &Served) -> Vec<Value> {
    let resource = &served.resource;
    let mut main = json!({
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": resource.verbs,
    });
    if !resource.short_names.is_empty() {
        main["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        main["categories"] = json!(resource.categories);
    }
    let mut out = Vec::new();
    if !resource.verbs.is_empty() {
        out.push(main);
    }
    for sub in &resource.subresources {
        let mut entry = json!({
            "name": format!("{}/{}", resource.plural, sub.name),
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": sub.response.kind,
            "verbs": sub.verbs,
        });
        if !sub.response.version.is_empty() {
            entry["group"] = json!(sub.response.group);
            entry["version"] = json!(sub.response.version);
        }
        out.push(entry);
    }
    out
}

fn aggregate(registry: &Registry, core: bool) -> Reply {
    let mut items = Vec::new();
    for (name, versions) in groups(registry)
        .into_iter()
        .filter(|(name, _)| name.is_empty() == core)
    {
        let versions: Vec<Value> = versions
            .iter()
            .map(|version| {
                let resources: Vec<Value> = registry
                    .all()
                    .filter(|served| served.resource.group == name && served.resource.version == *version)
                    .map(|served| aggregated_resource(served))
                    .collect();
                json!({"version": version, "resources": resources, "freshness": "Current"})
            })
            .collect();
        let metadata = if name.is_empty() {
            json!({})
        } else {
            json!({"name": name})
        };
        items.push(json!({"metadata": metadata, "versions": versions}));
    }
    let value = json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    });
    Reply::Json {
        code: 200,
        value: std::sync::Arc::new(value),
        content_type: AGGREGATED,
    }
}

fn aggregated_resource(served: &Served) -> Value {
    let resource = &served.resource;
    // Built-in entries leave group and version to the place they stand in; custom ones repeat them.
    let own = |kind: &str| match served.custom {
        Some(_) => json!({"group": resource.group, "version": resource.version, "kind": kind}),
        None => json!({"group": "", "version": "", "kind": kind}),
    };
    let mut out = json!({
        "resource": resource.plural,
        "responseKind": own(&resource.kind),
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular,
        "verbs": resource.verbs,
    });
    if !resource.short_names.is_empty() {
        out["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        out["categories"] = json!(resource.categories);
    }
    let subresources: Vec<Value> = resource
        .subresources
        .iter()
        .map(|sub| {
            let response = if sub.response.version.is_empty() {
                own(&sub.response.kind)
            } else {
                json!({"group": sub.response.group, "version": sub.response.version, "kind": sub.response.kind})
            };
            json!({"subresource": sub.name, "responseKind": response, "verbs": sub.verbs})
        })
        .collect();
    if !subresources.is_empty() {
        out["subresources"] = json!(subresources);
    }
    out
}
