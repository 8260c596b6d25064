//! weir's controllers in a process of their own, for what must be measured of them alone.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::Ground;
use crate::ground::REGISTRY;

/// Requests by method and code.
pub type Counts = BTreeMap<(String, String), u64>;

/// A running `weir controller`. It ends when dropped.
#[derive(Debug)]
pub struct Weir {
    child: Child,
    metrics: SocketAddr,
    /// Its store, which goes with it.
    _folder: tempfile::TempDir,
}

impl Drop for Weir {
    fn drop(&mut self) {
        // Gone already is as good.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl Weir {
    /// Starts the `weir` binary that lies beside this one, on the ground's cluster and registry, and waits until it
    /// reconciles.
    pub async fn start(ground: &Ground) -> Result<Self> {
        let binary = std::env::current_exe()?.with_file_name("weir");
        ensure!(
            binary.is_file(),
            "{} is not there; build it with `cargo build --release -p weir`",
            binary.display()
        );
        let kubeconfig = ground.kubeconfig_path().context("the cluster is no real one")?;
        let folder = tempfile::tempdir()?;
        let metrics = free_address().await?;
        let health = free_address().await?;
        let child = Command::new(&binary)
            .arg("controller")
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .arg("--storage-path")
            .arg(folder.path())
            .arg("--storage-addr=127.0.0.1:0")
            .arg(format!("--metrics-addr={metrics}"))
            .arg(format!("--health-addr={health}"))
            .arg("--log-level=warn")
            .arg(format!(
                "--registry-mirror={REGISTRY}=http://{}",
                ground.registry_host()
            ))
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot run {}", binary.display()))?;
        let weir = Self {
            child,
            metrics,
            _folder: folder,
        };
        for _ in 0..100 {
            if weir.requests().await.is_ok_and(|counts| !counts.is_empty()) {
                return Ok(weir);
            }
            sleep(Duration::from_millis(100)).await;
        }
        weir.requests().await.context("weir does not answer")?;
        Ok(weir)
    }

    /// The requests that it has made of the API server, by its own count.
    pub async fn requests(&self) -> Result<Counts> {
        let mut stream = TcpStream::connect(self.metrics).await?;
        stream
            .write_all(b"GET /metrics HTTP/1.0\r\nHost: weir\r\n\r\n")
            .await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        let mut counts = Counts::new();
        for line in text
            .lines()
            .filter(|l| l.starts_with("rest_client_requests_total{"))
        {
            let label = |name: &str| {
                let (_, rest) = line.split_once(&format!("{name}=\""))?;
                rest.split_once('"').map(|(value, _)| value.to_owned())
            };
            let value = line.rsplit(' ').next().and_then(|n| n.parse::<u64>().ok());
            if let (Some(method), Some(code), Some(value)) = (label("method"), label("code"), value) {
                *counts.entry((method, code)).or_default() += value;
            }
        }
        Ok(counts)
    }

    /// The processor time that it has used, in seconds, as the kernel counts it.
    pub fn processor_seconds(&self) -> Result<f64> {
        // proc(5): after the name in brackets come the state and eleven more, then utime and stime in ticks of 10 ms.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, fields) = stat
            .rsplit_once(')')
            .context("the kernel does not tell the processor time")?;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
        let ticks = ticks.sum::<Result<u32, _>>()?;
        Ok(f64::from(ticks) / 100.0)
    }

    /// The most memory that it has had, in MiB: resident pages, as the kernel counts them.
    pub fn peak_memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find(|l| l.starts_with("VmHWM:"))
            .context("the kernel does not tell the peak memory")?;
        let kib: u64 = line
            .split_whitespace()
            .nth(1)
            .context("VmHWM has no value")?
            .parse()?;
        Ok(kib / 1024)
    }
}

/// An address that was free a moment ago.
async fn free_address() -> Result<SocketAddr> {
    Ok(tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()?)
}
