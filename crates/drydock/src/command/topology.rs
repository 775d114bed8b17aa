//! `topology`: every member of a fleet from any one of them.

use crate::{
    app::{App, Keep},
    args::{TopologyArgs, TopologyFormat},
    output::{Sink, json, yaml},
    password,
    signals::INTERRUPTED,
};
use api::{ClusterTopology, DiscoverRequest};
use std::process::ExitCode;
use types::Failure;

/// Discovers and prints.
pub async fn run(app: &App, args: TopologyArgs) -> Result<ExitCode, Failure> {
    let Some(target) = password::target(&args.connect, &app.config, &app.settings()?).await? else {
        return Ok(ExitCode::from(INTERRUPTED));
    };
    let request = DiscoverRequest {
        host: target.host,
        port: target.port,
        username: target.username,
        password: target.password,
        max_depth: args.max_depth,
    };
    let control = app.control(Keep::Nothing).await?;
    let found = control.discover(&App::caller(), request).await?;
    Sink::to(args.output_file.as_ref()).write(&print(&found, args.output_format)?)?;
    Ok(ExitCode::SUCCESS)
}

fn print(found: &ClusterTopology, format: TopologyFormat) -> Result<String, Failure> {
    match format {
        TopologyFormat::Json => json(found),
        TopologyFormat::Yaml => yaml(found),
        TopologyFormat::Table => Ok(topology::table(found)),
        TopologyFormat::Dot => Ok(topology::dot(found)),
    }
}
