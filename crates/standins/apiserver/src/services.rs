//! Cluster addresses of Services.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::object::{self, at};
use crate::status::{Cause, Failure};
use crate::store::Key;
use crate::write::Cx;

/// The first ports and addresses handed out: 10.96.0.0/16, as kubeadm has it, and the node port range.
const NETWORK: [u8; 2] = [10, 96];
const NODE_PORTS: std::ops::RangeInclusive<i64> = 30000..=32767;

/// Gives a new Service its address and node ports.
pub(crate) fn allocate(cx: &mut Cx<'_>, service: &mut Value) -> Result<(), Failure> {
    let kind = object::text(service, &["spec", "type"]).to_owned();
    if kind == "ExternalName" {
        return Ok(());
    }
    // Who selects nothing and has no address may be anything.
    let selects = at(service, &["spec", "selector"])
        .and_then(Value::as_object)
        .is_some_and(|labels| !labels.is_empty());
    let (families, policy) = if object::text(service, &["spec", "clusterIP"]) == "None" && !selects {
        (json!(["IPv4", "IPv6"]), "RequireDualStack")
    } else {
        (json!(["IPv4"]), "SingleStack")
    };
    object::set_default(service, &["spec", "ipFamilies"], families);
    object::set_default(service, &["spec", "ipFamilyPolicy"], json!(policy));
    let wanted = object::text(service, &["spec", "clusterIP"]).to_owned();
    let taken = addresses(cx);
    let address = if wanted.is_empty() {
        free_address(&taken)
    } else {
        if wanted != "None" && taken.contains(&wanted) {
            let cause = Cause {
                reason: "FieldValueInvalid",
                message: format!(
                    "Invalid value: {}: failed to allocate IP {wanted}: provided IP is already allocated",
                    json!([wanted])
                ),
                field: "spec.clusterIPs".to_owned(),
            };
            return Err(Failure::invalid("", "Service", object::name(service), &[cause]));
        }
        wanted
    };
    object::set(service, &["spec", "clusterIP"], json!(address));
    object::set(service, &["spec", "clusterIPs"], json!([address]));
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        allocate_node_ports(cx, service);
    }
    Ok(())
}

fn addresses(cx: &Cx<'_>) -> BTreeSet<String> {
    cx.state
        .store
        .all(&Key::new("", "services"))
        .map(|service| object::text(service, &["spec", "clusterIP"]).to_owned())
        .collect()
}

fn free_address(taken: &BTreeSet<String>) -> String {
    // .0.1 is the API server's own.
    (0..=255_u8)
        .flat_map(|high| (1..=254_u8).map(move |low| (high, low)))
        .map(|(high, low)| format!("{}.{}.{high}.{low}", NETWORK[0], NETWORK[1]))
        .find(|address| !taken.contains(address))
        .unwrap_or_default()
}

fn allocate_node_ports(cx: &Cx<'_>, service: &mut Value) {
    let mut taken: BTreeSet<i64> = cx
        .state
        .store
        .all(&Key::new("", "services"))
        .flat_map(|other| object::list(other, &["spec", "ports"]).iter())
        .filter_map(|port| at(port, &["nodePort"]).and_then(Value::as_i64))
        .collect();
    for port in crate::defaults::items_mut(service, &["spec", "ports"]) {
        if at(port, &["nodePort"]).and_then(Value::as_i64).unwrap_or(0) == 0
            && let Some(number) = NODE_PORTS.clone().find(|number| !taken.contains(number))
        {
            taken.insert(number);
            object::set(port, &["nodePort"], json!(number));
        }
    }
}

/// Keeps the address of a changed Service.
pub(crate) fn keep_allocation(cx: &mut Cx<'_>, live: &Value, service: &mut Value) -> Result<(), Failure> {
    let kind = object::text(service, &["spec", "type"]).to_owned();
    if kind == "ExternalName" {
        for field in [
            "clusterIP",
            "clusterIPs",
            "ipFamilies",
            "ipFamilyPolicy",
            "internalTrafficPolicy",
        ] {
            object::remove(service, &["spec", field]);
        }
        return Ok(());
    }
    if object::text(live, &["spec", "type"]) == "ExternalName" {
        return allocate(cx, service);
    }
    let old = object::text(live, &["spec", "clusterIP"]);
    let new = object::text(service, &["spec", "clusterIP"]);
    if !new.is_empty() && new != old {
        let cause = Cause {
            reason: "FieldValueInvalid",
            message: format!("Invalid value: {}: may not change once set", json!([new])),
            field: "spec.clusterIPs[0]".to_owned(),
        };
        return Err(Failure::invalid("", "Service", object::name(service), &[cause]));
    }
    for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        if let Some(value) = at(live, &["spec", field]) {
            object::set_default(service, &["spec", field], value.clone());
        }
    }
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        let old_ports = object::list(live, &["spec", "ports"]).to_vec();
        for port in crate::defaults::items_mut(service, &["spec", "ports"]) {
            let same = old_ports.iter().find(|old| {
                old.get("port") == port.get("port") && old.get("protocol") == port.get("protocol")
            });
            if let Some(number) = same.and_then(|old| old.get("nodePort")) {
                object::set_default(port, &["nodePort"], number.clone());
            }
        }
        allocate_node_ports(cx, service);
    }
    Ok(())
}
