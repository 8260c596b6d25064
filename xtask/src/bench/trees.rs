//! The trees that the kustomize benchmark builds.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Patches of [`Tree::Overlay`], however many Deployments its base has.
const PATCHES: usize = 50;
/// Images that the Deployments take turns with; the overlay pins each.
const IMAGES: usize = 5;

/// What a tree has many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    /// Deployments in a base, each with a generated ConfigMap that it refers to, and an overlay that changes all of them
    /// and patches some.
    Overlay,
    /// A patch for each Deployment.
    Patches,
    /// A component for each Deployment, with a patch.
    Components,
    /// A replacement for each Deployment, from one to the next.
    Replacements,
    /// A patch that deletes, for every other Deployment.
    Deletes,
    /// Labels that an overlay changes at every place where its base put them, and a patch for each Deployment.
    Labels,
}

impl Tree {
    /// Those whose time is to grow as their size does.
    pub(super) const GROWTH: [Self; 6] = [
        Self::Overlay,
        Self::Patches,
        Self::Components,
        Self::Replacements,
        Self::Deletes,
        Self::Labels,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Overlay => "overlay",
            Self::Patches => "patches",
            Self::Components => "components",
            Self::Replacements => "replacements",
            Self::Deletes => "deletes",
            Self::Labels => "labels",
        }
    }

    /// Writes a tree with so many Deployments, each in a file of its own. Returns the folder to build.
    pub(super) fn write(self, root: &Path, deployments: usize) -> Result<PathBuf> {
        match self {
            Self::Overlay => overlay(root, deployments),
            Self::Patches => patches(root, deployments, "", ""),
            Self::Components => components(root, deployments),
            Self::Replacements => replacements(root, deployments),
            Self::Deletes => deletes(root, deployments),
            Self::Labels => labels(root, deployments),
        }
    }
}

/// Writes the Deployments, and a kustomization file that lists them and has some more text.
fn base(root: &Path, deployments: usize, more: &str) -> Result<()> {
    let base = root.join("base");
    let mut file = String::from("resources:\n");
    for number in 0..deployments {
        write(&base, &format!("deployment-{number}.yaml"), &deployment(number))?;
        writeln!(file, "- deployment-{number}.yaml")?;
    }
    write(&base, "kustomization.yaml", &(file + more))
}

fn overlay(root: &Path, deployments: usize) -> Result<PathBuf> {
    let mut generators = String::from("configMapGenerator:\n");
    for number in 0..deployments {
        write!(
            generators,
            "- name: settings-{number}\n  literals:\n  - NUMBER={number}\n  - LEVEL=info\n"
        )?;
    }
    base(root, deployments, &generators)?;

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

/// A patch for each Deployment, with some more text in the files of the base and the overlay.
fn patches(root: &Path, deployments: usize, below: &str, above: &str) -> Result<PathBuf> {
    base(root, deployments, below)?;
    let overlay = root.join("overlay");
    let mut file = format!("resources:\n- ../base\n{above}patches:\n");
    for number in 0..deployments {
        write(&overlay, &format!("patch-{number}.yaml"), &patch(number))?;
        write!(
            file,
            "- path: patch-{number}.yaml\n  target:\n    kind: Deployment\n    name: web-{number}\n"
        )?;
    }
    write(&overlay, "kustomization.yaml", &file)?;
    Ok(overlay)
}

fn components(root: &Path, deployments: usize) -> Result<PathBuf> {
    base(root, deployments, "")?;
    let overlay = root.join("overlay");
    let mut file = String::from("resources:\n- ../base\ncomponents:\n");
    for number in 0..deployments {
        let component = root.join(format!("components/{number}"));
        write(&component, "patch.yaml", &patch(number))?;
        write(
            &component,
            "kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n- path: patch.yaml\n",
        )?;
        writeln!(file, "- ../components/{number}")?;
    }
    write(&overlay, "kustomization.yaml", &file)?;
    Ok(overlay)
}

fn replacements(root: &Path, deployments: usize) -> Result<PathBuf> {
    base(root, deployments, "")?;
    let overlay = root.join("overlay");
    let mut file = String::from("resources:\n- ../base\nreplacements:\n");
    for number in 0..deployments {
        let next = (number + 1) % deployments;
        write!(
            file,
            "- source:\n    kind: Deployment\n    name: web-{number}\n    fieldPath: metadata.labels.app\n  targets:\n  \
             - select:\n      kind: Deployment\n      name: web-{next}\n    fieldPaths:\n    \
             - spec.template.spec.containers.[name=web].env.[name=NEXT].value\n    options:\n      create: true\n"
        )?;
    }
    write(&overlay, "kustomization.yaml", &file)?;
    Ok(overlay)
}

fn deletes(root: &Path, deployments: usize) -> Result<PathBuf> {
    base(root, deployments, "")?;
    let overlay = root.join("overlay");
    let mut file = String::from("resources:\n- ../base\npatches:\n");
    for number in (0..deployments).step_by(2) {
        write!(
            file,
            "- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata:\n      name: web-{number}\n    \
             $patch: delete\n"
        )?;
    }
    write(&overlay, "kustomization.yaml", &file)?;
    Ok(overlay)
}

fn labels(root: &Path, deployments: usize) -> Result<PathBuf> {
    let labels = |tier: &str| {
        format!(
            "labels:\n- pairs:\n    team: platform\n    tier: {tier}\n  includeSelectors: true\n- pairs:\n    \
             example.com/zone: {tier}\n  includeTemplates: true\n"
        )
    };
    patches(root, deployments, &labels("base"), &labels("web"))
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
