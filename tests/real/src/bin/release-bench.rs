//! Measures HelmReleases on a real kube-apiserver: many of a small chart, each with a HelmChart of its own, from create to
//! Ready, after new values for all, and idle. The `weir` binary beside this one runs the controllers in a process of its own,
//! so its memory and its requests are weir's alone. `cargo xtask bench releases` runs it.
#![expect(clippy::print_stdout, reason = "a benchmark prints its numbers")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use weir_apis::Object;
use weir_apis::condition::{Conditions, READY, Status};
use weir_charts::{Tgz, pack};
use weir_cluster::Mirror;
use weir_helm::{Chart, File};
use weir_real::bench::{self, IN_FLIGHT, each, namespace, ratio, since, total};
use weir_real::process::{Counts, Weir};
use weir_real::{Ground, helm_release};

/// The chart, as small as podinfo with its defaults: two objects, helpers, notes, and a test that does not run.
const CHART: &[(&str, &str)] = &[
    (
        "Chart.yaml",
        "apiVersion: v1\nname: app\nversion: 1.0.0\nappVersion: 1.0.0\ndescription: a small web application\n",
    ),
    (
        "values.yaml",
        "replicaCount: 0\nlogLevel: info\nimage: {repository: example/app, tag: 1.0.0, pullPolicy: IfNotPresent}\nmessage: hello\nresources:\n  requests: {cpu: 1m, memory: 16Mi}\nservice: {type: ClusterIP, httpPort: 9898, grpcPort: 9999}\n",
    ),
    (
        "templates/_helpers.tpl",
        "{{- define \"app.fullname\" -}}\n{{- .Values.fullnameOverride | default .Release.Name | trunc 63 | trimSuffix \"-\" }}\n{{- end }}\n{{- define \"app.selector\" -}}\napp.kubernetes.io/name: {{ include \"app.fullname\" . }}\n{{- end }}\n{{- define \"app.labels\" -}}\nhelm.sh/chart: {{ printf \"%s-%s\" .Chart.Name .Chart.Version | replace \"+\" \"_\" | trunc 63 | trimSuffix \"-\" }}\n{{ include \"app.selector\" . }}\napp.kubernetes.io/version: {{ .Chart.AppVersion | quote }}\napp.kubernetes.io/managed-by: {{ .Release.Service }}\n{{- end }}\n",
    ),
    (
        "templates/service.yaml",
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ template \"app.fullname\" . }}\n  labels:\n    {{- include \"app.labels\" . | nindent 4 }}\nspec:\n  type: {{ .Values.service.type }}\n  ports:\n    - {port: {{ .Values.service.httpPort }}, targetPort: http, protocol: TCP, name: http}\n    - {port: {{ .Values.service.grpcPort }}, targetPort: grpc, protocol: TCP, name: grpc}\n  selector:\n    {{- include \"app.selector\" . | nindent 4 }}\n",
    ),
    (
        "templates/deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ template \"app.fullname\" . }}\n  labels:\n    {{- include \"app.labels\" . | nindent 4 }}\nspec:\n  replicas: {{ .Values.replicaCount }}\n  strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 1}}\n  selector:\n    matchLabels:\n      {{- include \"app.selector\" . | nindent 6 }}\n  template:\n    metadata:\n      labels:\n        {{- include \"app.selector\" . | nindent 8 }}\n      annotations:\n        prometheus.io/scrape: \"true\"\n        prometheus.io/port: \"{{ .Values.service.httpPort }}\"\n    spec:\n      terminationGracePeriodSeconds: 30\n      containers:\n        - name: {{ .Chart.Name }}\n          image: \"{{ .Values.image.repository }}:{{ .Values.image.tag }}\"\n          imagePullPolicy: {{ .Values.image.pullPolicy }}\n          command: [./app, --port={{ .Values.service.httpPort }}, --level={{ .Values.logLevel }}]\n          env:\n            - {name: MESSAGE, value: {{ .Values.message | quote }}}\n          ports:\n            - {name: http, containerPort: {{ .Values.service.httpPort }}, protocol: TCP}\n            - {name: grpc, containerPort: {{ .Values.service.grpcPort }}, protocol: TCP}\n          livenessProbe:\n            httpGet: {path: /healthz, port: http}\n            initialDelaySeconds: 1\n            timeoutSeconds: 5\n          resources:\n            {{- toYaml .Values.resources | nindent 12 }}\n",
    ),
    (
        "templates/test.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ template \"app.fullname\" . }}-test\n  annotations: {helm.sh/hook: test}\nspec:\n  restartPolicy: Never\n  containers: [{name: curl, image: example/curl, args: [{{ template \"app.fullname\" . }}]}]\n",
    ),
    (
        "templates/NOTES.txt",
        "{{ template \"app.fullname\" . }} answers at port {{ .Values.service.httpPort }}.\n",
    ),
];

/// Repository that the chart is below.
const BELOW: &str = "bench";

fn main() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let mut runs = Vec::new();
    for releases in bench::sizes(300)? {
        println!("{releases} releases");
        runs.push(runtime.block_on(measure(releases))?);
    }
    println!("\n{}", table(&runs));
    Ok(())
}

/// What one run found.
struct Run {
    releases: usize,
    rate: f64,
    create: Phase,
    update: Phase,
    idle_requests: Counts,
    memory: u64,
}

/// From a change of all releases until all are Ready again.
struct Phase {
    seconds: f64,
    requests: Counts,
    processor: f64,
}

async fn measure(releases: usize) -> Result<Run> {
    let (ground, rate) = bench::ground().await?;
    println!("  raw server-side apply, {IN_FLIGHT} in flight: {rate:.0} a second");
    let files = CHART
        .iter()
        .map(|(name, content)| File::new(*name, (*content).to_owned()));
    let chart = Chart::from_folder(files.collect(), &Tgz)?;
    let archive = pack(&chart, jiff::Timestamp::UNIX_EPOCH)?;
    ground.push_chart(&format!("{BELOW}/app"), archive).await?;
    for n in 0..releases.min(10) {
        let value = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
            "metadata": {"name": "charts", "namespace": namespace(n)},
            "spec": {"type": "oci", "url": format!("oci://{}/{BELOW}", weir_real::REGISTRY)}});
        ground.apply_json(value).await?;
    }
    let weir = Weir::start(&ground).await?;
    let seen = Seen::start(&ground).await?;
    let create = phase(&ground, &weir, &seen, (releases, 1), "hello").await?;
    println!("  create to all Ready: {create}");
    let update = phase(&ground, &weir, &seen, (releases, 2), "good morning").await?;
    println!("  new values for all, to all Ready: {update}");

    sleep(Duration::from_secs(5)).await;
    let before = weir.requests().await?;
    sleep(Duration::from_mins(1)).await;
    let idle_requests = since(&weir.requests().await?, &before);
    println!("  requests over an idle minute: {idle_requests:?}");
    if !idle_requests.is_empty() {
        for event in bench::last_events(&ground).await? {
            println!("    {event}");
        }
    }
    let memory = weir.peak_memory()?;
    println!("  peak memory {memory} MiB");
    Ok(Run {
        releases,
        rate,
        create,
        update,
        idle_requests,
        memory,
    })
}

/// Applies all releases with this value, and waits until all are Ready at this revision.
async fn phase(
    ground: &Arc<Ground>,
    weir: &Weir,
    seen: &Seen,
    (releases, revision): (usize, i64),
    message: &'static str,
) -> Result<Phase> {
    let before = weir.requests().await?;
    let busy = weir.processor_seconds()?;
    let begun = Instant::now();
    each(ground, releases, move |ground, n| async move {
        let chart = json!({"chart": "app", "version": "1.x", "sourceRef": {"kind": "HelmRepository", "name": "charts"}});
        let value = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": format!("app-{n}"), "namespace": namespace(n)},
            "spec": {"interval": "1h", "chart": {"spec": chart}, "values": {"message": message}}});
        ground.apply_json(value).await.map(drop)
    })
    .await?;
    seen.until_all(releases, revision).await;
    Ok(Phase {
        seconds: begun.elapsed().as_secs_f64(),
        requests: since(&weir.requests().await?, &before),
        processor: weir.processor_seconds()? - busy,
    })
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.1} s, {:?}, {:.1} s of the processor",
            self.seconds, self.requests, self.processor
        )
    }
}

/// The numbers, a column for each run, as docs/benchmarks.md has them.
fn table(runs: &[Run]) -> String {
    let row = |name: &str, cell: &dyn Fn(&Run) -> String| bench::row(runs, name, cell);
    [
        row("", &|run| format!("{} releases", run.releases)),
        bench::rule(runs.len()),
        row("R, a second", &|run| format!("{:.0}", run.rate)),
        row("create to all Ready", &|run| {
            format!("{:.1} s", run.create.seconds)
        }),
        row("the same in raw applies a release", &|run| {
            format!("{:.1}", run.create.seconds * run.rate * ratio(1, run.releases))
        }),
        row("weir's processor time until then", &|run| {
            format!("{:.1} s", run.create.processor)
        }),
        row("requests a release until then", &|run| {
            format!("{:.1}", ratio(total(&run.create.requests), run.releases))
        }),
        row("new values for all, to all Ready", &|run| {
            format!("{:.1} s", run.update.seconds)
        }),
        row("requests a release, new values", &|run| {
            format!("{:.1}", ratio(total(&run.update.requests), run.releases))
        }),
        row("requests over an idle minute", &|run| {
            total(&run.idle_requests).to_string()
        }),
        row("weir's peak memory", &|run| format!("{} MiB", run.memory)),
    ]
    .concat()
}

/// What the administrator's watch has shown.
struct Seen {
    releases: Mirror,
    /// The revision of each release that is Ready, by name.
    revisions: Arc<Mutex<HashMap<String, i64>>>,
}

impl Seen {
    async fn start(ground: &Ground) -> Result<Self> {
        let revisions: Arc<Mutex<HashMap<String, i64>>> = Arc::default();
        let known = revisions.clone();
        let look = move |object: &Object| {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            let history = object.get(&["status", "history"]);
            let revision = history
                .and_then(|h| h.pointer("/0/version"))
                .and_then(Value::as_i64);
            match revision {
                Some(revision) if Conditions::of(object).is(READY, Status::True) => {
                    known.insert(object.name().to_owned(), revision);
                }
                _ => {
                    known.remove(object.name());
                }
            }
        };
        let releases = bench::watch(ground, &helm_release("", "").gvk, "", look).await?;
        Ok(Self { releases, revisions })
    }

    /// Waits until so many releases are Ready at this revision.
    async fn until_all(&self, releases: usize, revision: i64) {
        self.releases.synced().await;
        loop {
            let there = self
                .revisions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .values()
                .filter(|known| **known == revision)
                .count();
            if there == releases {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}
