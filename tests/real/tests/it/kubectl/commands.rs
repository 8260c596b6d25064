//! What kubectl is asked to do, in order; each command sees what those before it did.

/// One command and what it reads from standard input.
pub(super) struct Call {
    /// Arguments.
    pub(super) line: &'static str,
    /// Standard input.
    pub(super) stdin: &'static str,
}

const fn call(line: &'static str) -> Call {
    Call { line, stdin: "" }
}

const fn fed(line: &'static str, stdin: &'static str) -> Call {
    Call { line, stdin }
}

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels: {app: web}
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: example/web:1
          ports:
            - containerPort: 8080
---
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
spec:
  selector: {app: web}
  ports:
    - port: 80
      targetPort: 8080
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: shop
data:
  colour: blue
  size: \"3\"
";

const WEB_CHANGED: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels: {app: web, tier: front}
spec:
  replicas: 3
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: example/web:2
          ports:
            - containerPort: 8080
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: shop
data:
  colour: green
";

const SOURCE: &str = "\
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata:
  name: apps
  namespace: shop
spec:
  interval: 10m
  url: oci://registry.example/apps
  ref: {tag: latest}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: shop
spec:
  interval: 10m
  prune: true
  sourceRef: {kind: OCIRepository, name: apps}
";

const PLAIN: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: plain
  namespace: shop
data: {a: one, b: two}
";

const PLAIN_CHANGED: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: plain
  namespace: shop
data: {a: three}
";

const UNKNOWN_FIELD: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: odd
  namespace: shop
dada: {a: one}
";

const WRONG_TYPE: &str = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: wrong
  namespace: shop
spec:
  interval: 10m
  prune: maybe
  sourceRef: {kind: OCIRepository, name: apps}
";

const WRONG_KIND: &str = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: wrong
  namespace: shop
spec:
  interval: 10m
  prune: true
  sourceRef: {kind: Elsewhere, name: apps}
";

const ROLE: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: reader
  namespace: shop
rules:
  - apiGroups: [\"\"]
    resources: [configmaps]
    verbs: [get, list]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: reader
  namespace: shop
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
  - kind: ServiceAccount
    name: tenant
    namespace: shop
";

/// Everything, in order.
pub(super) const COMMANDS: &[Call] = &[
    call("create namespace shop"),
    call("create namespace shop"),
    call("get namespace shop -o yaml"),
    fed("apply --server-side -f -", WEB),
    fed("apply --server-side -f -", WEB),
    call("get deployment,service,configmap/settings -n shop"),
    call("get deployment,service,configmap/settings -n shop -o wide"),
    call("get deployment web -n shop -o yaml"),
    call("get deployment web -n shop -o yaml --show-managed-fields"),
    call("get service web -n shop -o json"),
    call("get configmap settings -n shop -o jsonpath={.data.colour}"),
    call("get configmap -n shop -l app=web"),
    call("get deployments -A --show-labels"),
    call(
        "get deployments -n shop -o custom-columns=NAME:.metadata.name,IMAGE:.spec.template.spec.containers[*].image",
    ),
    call("get deployments,configmaps -n shop -o name"),
    call("get deployments -n shop --sort-by=.metadata.name --no-headers"),
    call("get configmaps -n shop --field-selector=metadata.name=settings -o name"),
    fed("diff --server-side -f -", WEB),
    fed("apply --server-side --dry-run=server -f - -o name", WEB_CHANGED),
    fed("apply --server-side --field-manager=other -f -", WEB_CHANGED),
    fed(
        "apply --server-side --field-manager=other --force-conflicts -f -",
        WEB_CHANGED,
    ),
    call("get configmap settings -n shop -o yaml --show-managed-fields"),
    fed("apply -f -", PLAIN),
    fed("apply -f -", PLAIN),
    fed("apply -f - --dry-run=server", PLAIN_CHANGED),
    fed("apply -f -", PLAIN_CHANGED),
    call("get configmap plain -n shop -o yaml"),
    call("apply view-last-applied configmap plain -n shop"),
    fed("apply -f -", UNKNOWN_FIELD),
    fed("apply --validate=warn -f -", UNKNOWN_FIELD),
    fed("apply --server-side -f -", UNKNOWN_FIELD),
    fed("apply -f -", WRONG_KIND),
    fed("apply --server-side -f -", WRONG_TYPE),
    fed("create -f -", PLAIN),
    fed("replace -f -", PLAIN),
    fed("apply --server-side -f -", SOURCE),
    call("get ocirepositories,kustomizations -n shop"),
    call("get ocirepository -n shop -o wide"),
    call("get ks -A"),
    call("get kustomization apps -n shop -o yaml"),
    call("explain deployment.spec.replicas"),
    call("explain configmap"),
    call("explain pod.spec.containers.resources --recursive"),
    call("explain kustomization"),
    call("explain kustomization.spec.sourceRef"),
    call("explain ocirepository.spec.verify --recursive"),
    call("explain nothing"),
    call("explain deployment.spec.nothing"),
    call("scale deployment web -n shop --replicas=5"),
    call("set image deployment/web -n shop web=example/web:3"),
    call("label configmap settings -n shop tier=back"),
    call("label configmap settings -n shop tier=front"),
    call("label configmap settings -n shop tier=front --overwrite"),
    call("annotate configmap settings -n shop note=yes"),
    call("annotate configmap settings -n shop note-"),
    call("patch configmap settings -n shop --type=merge -p {\"data\":{\"colour\":\"red\"}}"),
    call("patch configmap settings -n shop --type=json -p [{\"op\":\"remove\",\"path\":\"/data/none\"}]"),
    call(
        "patch deployment web -n shop -p {\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"web\",\"tty\":true}]}}}}",
    ),
    call("patch kustomization apps -n shop -p {\"spec\":{\"suspend\":true}}"),
    call("patch kustomization apps -n shop --type=merge -p {\"spec\":{\"suspend\":true}}"),
    call(
        "get deployment web -n shop -o jsonpath={.spec.replicas}/{.spec.template.spec.containers[0].image}/{.spec.template.spec.containers[0].tty}",
    ),
    call("create serviceaccount tenant -n shop"),
    fed("apply -f -", ROLE),
    call("get role,rolebinding,serviceaccount/tenant -n shop -o wide"),
    call("auth can-i create deployments -n shop"),
    call("auth can-i get configmaps -n shop --as=system:serviceaccount:shop:tenant"),
    call("auth can-i delete configmaps -n shop --as=system:serviceaccount:shop:tenant"),
    call("auth can-i --list -n shop --as=system:serviceaccount:shop:tenant"),
    call("get secrets -n shop --as=system:serviceaccount:shop:tenant"),
    call("create configmap more -n shop --from-literal=a=b --as=system:serviceaccount:shop:tenant"),
    call("get configmap settings -n shop --as=system:serviceaccount:shop:tenant -o name"),
    call("create configmap more -n shop --from-literal=a=b --dry-run=server -o yaml"),
    call("create secret generic safe -n shop --from-literal=password=hunter2"),
    call("get secret safe -n shop"),
    call("describe secret safe -n shop"),
    call("describe configmap settings -n shop"),
    call("describe role reader -n shop"),
    call("describe serviceaccount tenant -n shop"),
    call("describe kustomization apps -n shop"),
    call("wait --for=jsonpath={.data.colour}=red configmap/settings -n shop --timeout=5s"),
    call("wait --for=condition=Ready kustomization/apps -n shop --timeout=1s"),
    call("get configmap nothing -n shop"),
    call("get nothing"),
    call("delete configmap nothing -n shop"),
    call("delete configmap nothing -n shop --ignore-not-found"),
    call("delete configmap plain -n shop --dry-run=server"),
    call("delete configmap plain -n shop"),
    call("wait --for=delete configmap/plain -n shop --timeout=5s"),
    call("get crd kustomizations.kustomize.toolkit.fluxcd.io -o jsonpath={.spec.names}"),
    call("api-resources --api-group=apps"),
    call("api-resources --api-group=kustomize.toolkit.fluxcd.io -o wide"),
    call("get --raw /healthz"),
    call("get --raw /api/v1/namespaces/shop/configmaps/nothing"),
    call("delete deployment,service --all -n shop"),
    call("delete namespace shop"),
    call("get namespace shop"),
];
