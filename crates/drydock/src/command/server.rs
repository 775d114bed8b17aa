//! `server`: REST, WebSocket, metrics and the page, with the jobs behind them, until a signal comes.

mod reload;

use crate::{
    app::{App, Keep},
    config::process,
    housekeeping::Housekeeping,
    output::Sink,
    signals::{Interrupts, hangup},
};
use control::Control;
use http::{HttpSettings, ServerHandle, serve};
use std::{process::ExitCode, time::Duration};
use tokio_util::sync::CancellationToken;
use types::Failure;

/// How long answers under way may take once the end was asked for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Serves; on a dry run only says what it would serve.
pub async fn run(app: &App) -> Result<ExitCode, Failure> {
    let settings = app.config.http().await?;
    if app.dry_run {
        return dry_run(app, &settings);
    }
    let mut interrupts = Interrupts::listen()?;
    let mut hangup = hangup()?;
    let store = app.store(Keep::Everything).await?;
    let control = app.control_over(store.clone()).await?;
    let shutdown = CancellationToken::new();
    let server = serve(control.clone(), settings, shutdown.clone()).await?;
    control.start().await?;
    Sink::Stdout.write(&format!("listening on {}", server.url()))?;
    tracing::info!(url = server.url(), version = env!("CARGO_PKG_VERSION"), "serving");
    let mut reload = reload::Reload::new(app);
    let housekeeping = Housekeeping::start(app, &store);
    loop {
        tokio::select! {
            () = interrupts.next() => break,
            _ = hangup.recv() => reload.now(app, &control).await,
            () = reload.changed(app) => reload.now(app, &control).await,
        }
    }
    end(app, &control, server, &shutdown, &mut interrupts).await;
    housekeeping.end().await;
    Ok(ExitCode::SUCCESS)
}

fn dry_run(app: &App, settings: &HttpSettings) -> Result<ExitCode, Failure> {
    let tokens = app.settings()?.tokens.len();
    http::check_bind(settings.address, tokens, settings.tls.is_some())?;
    app.config.store_url(&process)?;
    Sink::Stdout.write(&format!("would listen on {}; nothing was started", settings.address))?;
    Ok(ExitCode::SUCCESS)
}

/// Answers what was asked, stops statements at a safe point; a second signal cuts the waiting short.
async fn end(
    app: &App,
    control: &Control,
    server: ServerHandle,
    shutdown: &CancellationToken,
    interrupts: &mut Interrupts,
) {
    tracing::info!("ending");
    shutdown.cancel();
    tokio::select! {
        () = async {
            control.shutdown().await;
            server.ended().await;
        } => {}
        () = app.clock.sleep(PATIENCE) => tracing::warn!("some requests were cut off"),
        () = interrupts.next() => tracing::warn!("told twice to end; some requests were cut off"),
    }
}
