//! Object by object: what helm leaves in the API server and what we leave, for the same chart.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use weir_apis::GroupVersionKind;
use weir_helm::Chart;
use weir_helm::action::Method;
use weir_releases::{InstallOptions, UpgradeOptions};

use super::{helm, unpack};
use crate::ground::{Ground, NAME, Stage, chart, config, hook, template};

const KINDS: &[(&str, &str)] = &[
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("apps/v1", "Deployment"),
    ("batch/v1", "CronJob"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("networking.k8s.io/v1", "Ingress"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
];

const WORKLOAD: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      containers:
      - name: web
        image: example/web:VERSION
        ports: [{containerPort: 8080, name: http}]
        env: [{name: A, value: 'on'}, {name: B, valueFrom: {secretKeyRef: {name: web, key: word}}}]
        resources: {limits: {memory: 128Mi}, requests: {cpu: 100m}}
";

const OTHERS: &str = "\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: http}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {word: 'VERSION'}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web}
rules: [{apiGroups: [''], resources: [configmaps], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web, annotations: {mine: 'VERSION'}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}
subjects: [{kind: ServiceAccount, name: web}]
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: listed, labels: {app.kubernetes.io/managed-by: somebody}}
  data: {number: '1', vVERSION: word}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules:
  - host: vVERSION.example
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 3
";

const CRON: &str = "\
apiVersion: batch/v1
kind: CronJob
metadata: {name: first-only}
spec:
  schedule: '0 0 * * *'
  jobTemplate:
    spec:
      template:
        spec: {restartPolicy: Never, containers: [{name: a, image: 'example/a:1'}]}
";

fn version(number: &str, others: &[(&str, &str)]) -> Chart {
    let workload = WORKLOAD.replace("VERSION", number);
    let rest = OTHERS.replace("VERSION", number);
    let early = hook("early", "pre-install,pre-upgrade", 0, "");
    let same = config("same", "a: b");
    let mut files = vec![
        ("values.yaml", "a: 1\n"),
        ("templates/web.yaml", workload.as_str()),
        ("templates/rest.yaml", rest.as_str()),
        ("templates/early.yaml", early.as_str()),
        ("templates/same.yaml", same.as_str()),
        ("templates/NOTES.txt", "welcome\n"),
    ];
    files.extend(others);
    // As helm reads a folder.
    files.sort_unstable();
    chart(&format!("{number}.0.0"), &files)
}

/// All that is in the namespace, by kind and name, without what differs from one run to the next.
async fn objects(stage: &Stage) -> Result<BTreeMap<String, Value>> {
    let mut found = BTreeMap::new();
    for (api_version, kind) in KINDS {
        let gvk = GroupVersionKind::from_api_version(api_version, *kind);
        for object in stage.client.list(&gvk, &stage.namespace, "").await? {
            let name = object.name().to_owned();
            if name == "kube-root-ca.crt" || name == "default" || name.starts_with("sh.helm") {
                continue;
            }
            let mut value = object.into_value();
            mask(&mut value, &stage.namespace);
            found.insert(format!("{kind}/{name}"), value);
        }
    }
    Ok(found)
}

fn mask(value: &mut Value, namespace: &str) {
    match value {
        Value::Object(map) => {
            for key in [
                "uid",
                "resourceVersion",
                "creationTimestamp",
                "time",
                "clusterIP",
                "clusterIPs",
                "lastUpdateTime",
                "lastTransitionTime",
                "status",
            ] {
                if map.contains_key(key) {
                    map.insert(key.to_owned(), json!("masked"));
                }
            }
            // How often a subresource was written, and when, is not ours.
            if let Some(Value::Array(entries)) = map.get_mut("managedFields") {
                entries.retain(|entry| entry.get("subresource").is_none());
            }
            map.values_mut().for_each(|value| mask(value, namespace));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| mask(value, namespace)),
        Value::String(text) if text.contains(namespace) => *text = text.replace(namespace, "namespace"),
        _ => {}
    }
}

/// The records, without times.
async fn records(stage: &Stage) -> Result<Vec<Value>> {
    let mut records = Vec::new();
    for release in stage.storage.history(NAME).await? {
        let mut record: Value = serde_json::from_str(&release.to_json())?;
        blank(&mut record, &stage.namespace);
        records.push(record);
    }
    Ok(records)
}

fn blank(value: &mut Value, namespace: &str) {
    match value {
        Value::Object(map) => {
            // Only files on a disk have it.
            map.remove("modtime");
            for key in [
                "first_deployed",
                "last_deployed",
                "started_at",
                "completed_at",
                "schemamodtime",
            ] {
                if map.contains_key(key) {
                    map.insert(key.to_owned(), json!("masked"));
                }
            }
            map.values_mut().for_each(|value| blank(value, namespace));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| blank(value, namespace)),
        Value::String(text) if text.contains(namespace) => *text = text.replace(namespace, "namespace"),
        _ => {}
    }
}

fn same(theirs: &BTreeMap<String, Value>, ours: &BTreeMap<String, Value>) -> Result<()> {
    let keys: Vec<&String> = theirs.keys().collect();
    ensure!(
        ours.keys().collect::<Vec<_>>() == keys,
        "helm: {keys:?}; weir: {:?}",
        ours.keys()
    );
    for (name, theirs) in theirs {
        let ours = ours.get(name).context("the same names")?;
        ensure!(theirs == ours, "{name}:\nhelm {theirs}\nweir {ours}");
    }
    Ok(())
}

async fn compare(ground: &Ground, client_side: bool) -> Result<()> {
    let suffix = if client_side { "client" } else { "server" };
    let mut theirs = ground.stage(&format!("compare-helm-{suffix}")).await?;
    let mut ours = ground.stage(&format!("compare-weir-{suffix}")).await?;
    theirs.manager = "helm";
    ours.manager = "helm";
    let helm = helm(ground, &theirs.namespace)?;
    let first = version("1", &[("templates/cron.yaml", CRON)]);
    let second = version("2", &[]);
    let flag = format!("--server-side={}", !client_side);
    helm.run(&["install", NAME, &unpack(&helm, &first)?, &flag])
        .await?;
    let options = InstallOptions {
        client_side,
        ..InstallOptions::default()
    };
    ours.install(template(&first, json!({})), &options).await?;
    let installed = objects(&theirs).await?;
    ensure!(installed.len() == 12, "{:?}", installed.keys());
    same(&installed, &objects(&ours).await?)?;

    helm.run(&["upgrade", NAME, &unpack(&helm, &second)?, "--set", "x=y", &flag])
        .await?;
    let options = UpgradeOptions {
        method: if client_side {
            Method::Disabled
        } else {
            Method::Enabled
        },
        ..UpgradeOptions::default()
    };
    ours.upgrade(template(&second, json!({"x": "y"})), &options)
        .await?;
    let upgraded = objects(&theirs).await?;
    ensure!(
        upgraded.len() == 11 && upgraded != installed,
        "{:?}",
        upgraded.keys()
    );
    same(&upgraded, &objects(&ours).await?)?;

    let (theirs, ours) = (records(&theirs).await?, records(&ours).await?);
    ensure!(
        theirs.len() == 2 && theirs == ours,
        "records:\nhelm {}\nweir {}",
        json!(theirs),
        json!(ours)
    );
    Ok(())
}

pub(super) async fn what_the_server_merges_is_the_same(ground: &Ground) -> Result<()> {
    compare(ground, false).await
}

pub(super) async fn what_the_client_merges_is_the_same(ground: &Ground) -> Result<()> {
    compare(ground, true).await
}
