//! Holding an object until what it made is gone.

use serde_json::json;
use weir_apis::{Object, key};
use weir_cluster::{ApiError, Client};

/// Whether weir's work holds the object. The name is Flux's, so both can take over from each other.
pub fn is_held(object: &Object) -> bool {
    object.finalizers().any(|f| f == key::FINALIZER)
}

/// Adds the finalizer. Fails with a conflict if the object changed in between, so that nobody's finalizer is lost.
pub async fn hold(client: &Client, object: &Object, manager: &str) -> Result<Object, ApiError> {
    let mut list: Vec<&str> = object.finalizers().collect();
    list.push(key::FINALIZER);
    write(client, object, &list, manager).await
}

/// Takes the finalizer away.
pub async fn release(client: &Client, object: &Object, manager: &str) -> Result<(), ApiError> {
    let list: Vec<&str> = object.finalizers().filter(|f| *f != key::FINALIZER).collect();
    match write(client, object, &list, manager).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

async fn write(client: &Client, object: &Object, list: &[&str], manager: &str) -> Result<Object, ApiError> {
    let patch = json!({"metadata": {"finalizers": list, "resourceVersion": object.resource_version()}});
    client.merge(&object.reference(), &patch, manager).await
}
