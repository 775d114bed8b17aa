//! `/metrics`: what the hall reads of the fleet, and how the door itself is used.

use crate::{answer::Failed, door::Door, rest::Who};
use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use control::Gauge;
use metrics::{Key, KeyName, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use std::{fmt::Write as _, net::SocketAddr, sync::Mutex};

/// Seconds; requests range from a list to a survey of a fleet.
const BUCKETS: [f64; 9] = [0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0];
/// Where these metrics come from.
static HERE: Metadata<'static> = Metadata::new("drydock", Level::INFO, Some("http"));

/// A recorder of this server's own: two servers in one process count apart.
pub(crate) struct Meter {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    /// One rendering at a time, so that fleet gauges are never mixed from two readings.
    fleet: Mutex<()>,
}

fn key(name: &'static str, labels: &[(&'static str, String)]) -> Key {
    let labels: Vec<Label> = labels.iter().map(|(name, value)| Label::new(*name, value.clone())).collect();
    Key::from_parts(name, labels)
}

impl Meter {
    pub(crate) fn new() -> Self {
        let builder = PrometheusBuilder::new();
        let seconds = Matcher::Full("drydock_http_request_seconds".to_owned());
        let builder = builder.set_buckets_for_metric(seconds, &BUCKETS).unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        let describe = |name: &'static str, help: &'static str| {
            recorder.describe_counter(KeyName::from_const_str(name), None, help.into());
        };
        describe("drydock_http_requests_total", "Requests answered, by method, route and status.");
        recorder.describe_histogram(
            KeyName::from_const_str("drydock_http_request_seconds"),
            None,
            "Time to answer, by route.".into(),
        );
        Self { recorder, handle, fleet: Mutex::new(()) }
    }

    /// Counts one answered request. The route is the pattern, so labels stay few whatever is asked for.
    fn count(&self, method: &str, route: &str, status: u16, seconds: f64) {
        let labels = [("method", method.to_owned()), ("route", route.to_owned()), ("status", status.to_string())];
        self.recorder.register_counter(&key("drydock_http_requests_total", &labels), &HERE).increment(1);
        let labels = [("route", route.to_owned())];
        self.recorder.register_histogram(&key("drydock_http_request_seconds", &labels), &HERE).record(seconds);
    }

    /// The door's own counters, then the fleet as it was just read.
    fn render(&self, gauges: &[Gauge]) -> String {
        let _one = self.fleet.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.handle.run_upkeep();
        self.handle.render() + &fleet(gauges)
    }
}

/// The fleet as it was just read; a member that is gone leaves no stale line.
fn fleet(gauges: &[Gauge]) -> String {
    let mut text = String::new();
    let mut told = "";
    let mut sorted: Vec<&Gauge> = gauges.iter().collect();
    sorted.sort_by_key(|gauge| gauge.name);
    for gauge in sorted {
        if gauge.name != told {
            let kind = if gauge.counter { "counter" } else { "gauge" };
            let _ = writeln!(text, "# HELP {0} {1}\n# TYPE {0} {kind}", gauge.name, gauge.help);
            told = gauge.name;
        }
        text.push_str(&line(gauge));
    }
    text
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn line(gauge: &Gauge) -> String {
    let labels: Vec<String> =
        gauge.labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    format!("{}{labels} {}\n", gauge.name, gauge.value)
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(door): State<Door>, Who(caller): Who) -> Result<Response, Failed> {
    let gauges = door.control().gauges(&caller).await?;
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    // The door counts everybody's requests together.
    let text = if caller.is_limited() { fleet(&gauges) } else { door.meter.render(&gauges) };
    Ok((kind, text).into_response())
}

/// Counts and logs each request by its route's pattern; addresses may hold a token and are never logged.
pub(crate) async fn count(
    State(door): State<Door>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let method = if is_common(request.method()) { request.method().to_string() } else { "other".to_owned() };
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let clock = door.control().clock();
    let began = clock.instant();
    let response = next.run(request).await;
    let (status, seconds) = (response.status().as_u16(), clock.since(began).as_secs_f64());
    door.meter.count(&method, &route, status, seconds);
    tracing::debug!(%peer, method, route, status, seconds, "request");
    response
}

/// A method anyone may make up would make up labels too.
fn is_common(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS]
        .contains(method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_is_described_once_and_labels_are_escaped() {
        let gauge = |cluster: &str| Gauge {
            name: "drydock_node_up",
            help: "help",
            labels: vec![("cluster", cluster.to_owned())],
            value: 1.0,
            counter: false,
        };
        let meter = Meter::new();
        meter.count("GET", "/api/v1/health", 200, 0.001);
        let text = meter.render(&[gauge("a\"b"), gauge("c")]);
        assert_eq!(text.matches("# TYPE drydock_node_up gauge").count(), 1);
        assert!(text.contains(r#"drydock_node_up{cluster="a\"b"} 1"#), "{text}");
        assert!(text.contains(r#"route="/api/v1/health""#) && text.contains("drydock_http_request_seconds_bucket"));
    }
}
