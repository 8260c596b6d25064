//! The trees that the kustomize benchmark builds.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Patches of an overlay, however many Deployments its base has.
const PATCHES: usize = 50;
/// Images that the Deployments take turns with; the overlay pins each.
const IMAGES: usize = 5;

/// Writes a base of so many Deployments, each in a file of its own with a generated ConfigMap that it refers to, and an
/// overlay that changes all of them. Returns the overlay's folder.
pub(super) fn overlay(root: &Path, deployments: usize) -> Result<PathBuf> {
    let base = root.join("base");
    let mut resources = String::from("resources:\n");
    let mut generators = String::from("configMapGenerator:\n");
    for number in 0..deployments {
        write(&base, &format!("deployment-{number}.yaml"), &deployment(number))?;
        writeln!(resources, "- deployment-{number}.yaml")?;
        write!(
            generators,
            "- name: settings-{number}\n  literals:\n  - NUMBER={number}\n  - LEVEL=info\n"
        )?;
    }
    write(&base, "kustomization.yaml", &(resources + &generators))?;

    let overlay = root.join("overlay");
    let mut file = String::from(
        "resources:\n- ../base\nnamePrefix: prod-\nnamespace: production\nlabels:\n- pairs:\n    team: platform\n    \
         tier: web\n  includeSelectors: true\nimages:\n",
    );
    for image in 0..IMAGES {
        write!(
            file,
            "- name: registry.example.com/app-{image}\n  newTag: \"2.{image}\"\n"
        )?;
    }
    file.push_str("patches:\n");
    for number in (0..PATCHES).map(|patch| patch * deployments / PATCHES) {
        write(&overlay, &format!("patch-{number}.yaml"), &patch(number))?;
        writeln!(file, "- path: patch-{number}.yaml")?;
    }
    write(&overlay, "kustomization.yaml", &file)?;
    Ok(overlay)
}

fn deployment(number: usize) -> String {
    let image = number % IMAGES;
    format!(
        r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{number}
  labels:
    app: web-{number}
  annotations:
    example.com/owner: team-{image}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web-{number}
  template:
    metadata:
      labels:
        app: web-{number}
    spec:
      containers:
      - name: web
        image: registry.example.com/app-{image}:1.0.{number}
        args: ["--listen=:8080", "--verbose"]
        ports:
        - name: http
          containerPort: 8080
        envFrom:
        - configMapRef:
            name: settings-{number}
        env:
        - name: LEVEL
          valueFrom:
            configMapKeyRef:
              name: settings-{number}
              key: LEVEL
        readinessProbe:
          httpGet:
            path: /ready
            port: http
          periodSeconds: 5
        resources:
          requests:
            cpu: 100m
            memory: 64Mi
          limits:
            memory: 128Mi
        volumeMounts:
        - name: settings
          mountPath: /etc/settings
          readOnly: true
      volumes:
      - name: settings
        configMap:
          name: settings-{number}
"#
    )
}

fn patch(number: usize) -> String {
    format!(
        r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{number}
spec:
  replicas: 5
  template:
    spec:
      containers:
      - name: web
        env:
        - name: EXTRA
          value: "{number}"
        resources:
          limits:
            memory: 256Mi
"#
    )
}

fn write(folder: &Path, name: &str, content: &str) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(name);
    fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
}
