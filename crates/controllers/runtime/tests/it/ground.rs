//! A stand-in API server and what a controller needs besides.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_cluster::{Client, Clock, TokioClock, connect};
use weir_runtime::{Deps, Metrics, Recorder, Settings};
use weir_standin_apiserver::{ApiServer, Options, RequestRecord};

/// A cluster in memory whose time is tokio's.
pub(crate) struct Ground {
    pub(crate) server: ApiServer,
    pub(crate) client: Client,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let clock = TokioClock::starting_at("2026-01-01T00:00:00Z".parse().expect("the stand-in answers"));
        let server = ApiServer::new(Options {
            now: Arc::new(move || clock.now()),
            ..Options::default()
        });
        let client = connect::in_process(server.clone(), "stand-in");
        Self {
            server,
            client,
            clock: Arc::new(clock),
        }
    }

    /// With Flux's CustomResourceDefinitions served.
    pub(crate) async fn with_kinds() -> Self {
        let ground = Self::new();
        for definition in weir_apis::crd::all() {
            let object = Object::from_value(definition).expect("the stand-in answers");
            ground
                .client
                .create(&object, "test")
                .await
                .expect("the stand-in answers");
        }
        let kind = kustomization("x").gvk;
        while ground.client.resource(&kind).await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
        ground
    }

    pub(crate) fn deps(&self) -> Deps {
        Deps {
            client: self.client.clone(),
            clock: self.clock.clone(),
            events: Recorder::start(self.client.clone(), self.clock.clone()),
            metrics: Metrics::default(),
            settings: Settings::default(),
        }
    }

    /// Stores a Kustomization in namespace `default`.
    pub(crate) async fn kustomization(&self, name: &str) -> Arc<Object> {
        let mut object = Object::new(&kustomization(name));
        let spec =
            json!({"interval": "10m", "prune": true, "sourceRef": {"kind": "OCIRepository", "name": name}});
        object.as_map_mut().insert("spec".into(), spec);
        Arc::new(
            self.client
                .create(&object, "test")
                .await
                .expect("the stand-in answers"),
        )
    }

    pub(crate) async fn get(&self, reference: &ObjectRef) -> Arc<Object> {
        Arc::new(
            self.client
                .get(reference)
                .await
                .expect("the stand-in answers")
                .expect("the stand-in answers"),
        )
    }

    /// The events there are, oldest first, once the recorder has had time to write them.
    pub(crate) async fn events(&self) -> Vec<Object> {
        sleep(Duration::from_millis(10)).await;
        let gvk = GroupVersionKind::new("", "v1", "Event");
        self.client
            .list(&gvk, "default", "")
            .await
            .expect("the stand-in answers")
    }

    /// Writes that reached the server and meet a condition.
    pub(crate) fn writes(&self, selects: impl Fn(&RequestRecord) -> bool) -> usize {
        let requests = self.server.requests();
        requests.iter().filter(|r| r.is_write() && selects(r)).count()
    }
}

pub(crate) fn kustomization(name: &str) -> ObjectRef {
    let gvk = GroupVersionKind::new("kustomize.toolkit.fluxcd.io", "v1", "Kustomization");
    ObjectRef::new(gvk, "default", name)
}

pub(crate) fn text<'a>(object: &'a Object, path: &[&str]) -> &'a str {
    object.get(path).and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn number(object: &Object, path: &[&str]) -> i64 {
    object.get(path).and_then(Value::as_i64).unwrap_or(i64::MIN)
}
