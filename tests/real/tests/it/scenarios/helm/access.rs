//! Repositories of charts that ask for credentials, or have a certificate of an authority of their own.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use weir_apis::condition::{READY, Status};
use weir_real::{Authority, ChartServer, Ground};

use super::change;
use super::repository::{release, repository};
use super::sources::chart;

const LOGIN: (&str, &str) = ("robot", "right-password");

async fn secret(ground: &Ground, ns: &str, name: &str, data: Value) -> Result<()> {
    let value = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": ns}, "stringData": data});
    ground.apply_json(value).await.map(drop)
}

pub(crate) async fn credentials_go_to_other_hosts_only_where_that_is_wanted(ground: &Ground) -> Result<()> {
    let ns = "hr-pass-credentials";
    ground.namespace(ns).await?;
    let (server, elsewhere) = (ChartServer::start().await?, ChartServer::start().await?);
    for one in [&server, &elsewhere] {
        one.ask_for(LOGIN);
        one.publish(&["1.0.0"])?;
    }
    // The index of the one names a chart of the other.
    server.publish_index(&["1.0.0"], &elsewhere.url)?;
    secret(
        ground,
        ns,
        "login",
        json!({"username": LOGIN.0, "password": LOGIN.1}),
    )
    .await?;
    let spec = json!({"interval": "1h", "url": server.url, "secretRef": {"name": "login"}});
    let charts = repository(ground, ns, spec).await?;
    ground.until_ready(&charts).await?;
    let web = release(ground, ns, "1.x").await?;
    let made = chart(ns, &format!("{ns}-web"));
    let text = ground
        .until_condition(&made, READY, Status::False, "AuthenticationFailed")
        .await?;
    ensure!(text.contains("401") && !text.contains(LOGIN.1), "{text}");
    ensure!(elsewhere.logins().is_empty(), "credentials went to another host");
    change(ground, &charts, json!({"passCredentials": true})).await?;
    ground.until_ready(&charts).await?;
    ground.reconcile(&made).await?;
    ground.until_revision(&web, 1).await?;
    ensure!(!elsewhere.logins().is_empty());
    Ok(())
}

pub(crate) async fn an_authority_of_one_s_own_is_trusted(ground: &Ground) -> Result<()> {
    let ns = "hr-authority";
    ground.namespace(ns).await?;
    let authority = Authority::new()?;
    let server = ChartServer::start_behind(&authority).await?;
    server.publish(&["1.0.0"])?;
    let spec = json!({"interval": "1h", "url": server.url});
    let charts = repository(ground, ns, spec).await?;
    let text = ground
        .until_condition(&charts, READY, Status::False, "AuthenticationFailed")
        .await?;
    ensure!(text.contains("certificate"), "{text}");
    // Another authority is none.
    let other = Authority::new()?;
    secret(ground, ns, "authority", json!({"ca.crt": other.pem()})).await?;
    change(ground, &charts, json!({"certSecretRef": {"name": "authority"}})).await?;
    let web = release(ground, ns, "1.x").await?;
    ground
        .until(&charts, |live| {
            let ready = weir_apis::condition::Conditions::of(live).get(READY).cloned();
            ready.is_some_and(|c| {
                c.status == Status::False && c.observed_generation == Some(live.generation())
            })
        })
        .await?;
    secret(ground, ns, "authority", json!({"ca.crt": authority.pem()})).await?;
    ground.reconcile(&charts).await?;
    ground.until_ready(&charts).await?;
    ground.until_revision(&web, 1).await?;
    Ok(())
}
