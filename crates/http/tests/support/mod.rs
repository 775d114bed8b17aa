//! A real server on a free port, over a real store in a temporary directory.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "each test takes what it needs")]

use control::{Control, Role, Settings, TokenSettings, token_digest};
use http::{HttpSettings, ServerHandle, serve};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use runtime::{Clock, Random};
use serde_json::{Value, json};
use sqlx::Connection;
use std::sync::Arc;
use store::SqlStore;
use tempfile::TempDir;
use testkit::{PASSWORD, Server, USER};
use tokio_util::sync::CancellationToken;

/// A server and what stands behind it.
pub struct Bed {
    pub control: Control,
    pub store: Arc<SqlStore>,
    pub server: ServerHandle,
    pub shutdown: CancellationToken,
    pub client: Client,
    pub token: Option<String>,
    directory: TempDir,
}

/// The door's settings on a free loopback port.
pub fn loopback() -> HttpSettings {
    HttpSettings::at("127.0.0.1:0".parse().unwrap())
}

/// A token of each role: `dd_viewer`, `dd_operator`, `dd_admin`.
pub fn three_tokens() -> Vec<TokenSettings> {
    let entry = |role: Role| TokenSettings {
        name: format!("the {}", role.as_str()),
        role,
        sha256: token_digest(&format!("dd_{}", role.as_str())),
        groups: None,
    };
    [Role::Viewer, Role::Operator, Role::Admin].map(entry).to_vec()
}

impl Bed {
    /// Over plain HTTP without tokens.
    pub async fn start(settings: Settings) -> Bed {
        Self::start_with(settings, loopback()).await
    }

    pub async fn start_with(settings: Settings, http: HttpSettings) -> Bed {
        Self::start_in(tempfile::tempdir().unwrap(), settings, http).await
    }

    /// Ends, and starts anew on what is on disk, as another process would.
    pub async fn restart(self, settings: Settings) -> Bed {
        self.shutdown.cancel();
        self.control.shutdown().await;
        self.server.ended().await;
        self.store.close().await;
        Self::start_in(self.directory, settings, loopback()).await
    }

    async fn start_in(directory: TempDir, settings: Settings, http: HttpSettings) -> Bed {
        let place = directory.path().join("jobs.db");
        let store = store::open(place.to_str().unwrap(), None).await.unwrap();
        let control = Control::open(settings, store.clone(), Clock::real(), Random::real()).await.unwrap();
        control.start().await.unwrap();
        let shutdown = CancellationToken::new();
        let server = serve(control.clone(), http, shutdown.clone()).await.unwrap();
        Bed { control, store, server, shutdown, client: Client::new(), token: None, directory }
    }

    /// The same server, asked with a token.
    pub fn with_token(mut self, token: &str) -> Bed {
        self.token = Some(token.to_owned());
        self
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.server.url()));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::GET, path)).await
    }

    pub async fn delete(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::DELETE, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        answer(self.request(Method::POST, path).json(body)).await
    }

    /// Keeps every writer out of the store until the connection is dropped; reading goes on.
    pub async fn hold_store(&self) -> sqlx::SqliteConnection {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.directory.path().join("jobs.db"));
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
        connection
    }

    /// All that lies on disk, as text.
    pub fn kept(&self) -> String {
        let files = std::fs::read_dir(self.directory.path()).unwrap();
        let bytes = files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap());
        String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
    }

    pub async fn end(self) {
        self.shutdown.cancel();
        self.control.shutdown().await;
        self.server.ended().await;
    }
}

/// Status and JSON body.
pub async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.expect("the server answers");
    let status = response.status();
    let text = response.text().await.expect("the answer is text");
    (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: not JSON: {text}")))
}

/// Asserts the seed's error shape, its code and its HTTP status, and that it says what to do next.
pub fn assert_error((status, body): &(StatusCode, Value), code: u16) {
    let code = types::Code::try_from(code).unwrap();
    assert_eq!(body["code"], code.number(), "{body}");
    assert_eq!(status.as_u16(), code.http_status(), "{body}");
    assert_eq!(body["message"], code.message(), "{body}");
    for detail in ["error", "next"] {
        assert!(body["details"][detail].as_str().is_some_and(|text| !text.is_empty()), "{detail}: {body}");
    }
    let timestamp = body["timestamp"].as_str().expect("a timestamp");
    timestamp.parse::<jiff::Timestamp>().expect("RFC 3339");
}

/// A request for a server of a fleet.
pub fn target(server: &Server) -> Value {
    let address = server.address();
    json!({"host": address.host, "port": address.port, "username": USER, "password": PASSWORD})
}
