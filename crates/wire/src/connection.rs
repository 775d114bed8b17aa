//! One client connection from greeting to goodbye.

use crate::auth::{Credential, Plugin};
use crate::frame::Frames;
use crate::greeting::{Reply, greeting, reply};
use crate::{Answer, Command, WireError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// How a connection is opened.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Version text of the greeting.
    pub version: String,
    /// The client's connection id.
    pub connection_id: u32,
    /// 20 random bytes for this connection alone; zeros are replaced, for the protocol ends texts with them.
    pub nonce: [u8; 20],
    /// Proof asked for first; a client that offers the other one is asked for that.
    pub plugin: Plugin,
    /// Largest packet taken from the client, bytes.
    pub max_packet: usize,
    /// Limit for greeting and login together.
    pub login_limit: Duration,
}

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Account name.
    pub user: String,
    /// Database it asked for when it came.
    pub database: Option<String>,
}

/// What a server does for its clients.
pub trait Handler: Send {
    /// What is kept of the account's password; `None` if there is no such account.
    fn credential(&self, user: &str) -> Option<Credential>;

    /// Answers one statement.
    fn query(&mut self, client: &Client, sql: &str) -> impl Future<Output = Answer> + Send;
}

/// Serves one client until it leaves.
///
/// # Errors
/// Whatever ended the connection other than a goodbye.
pub async fn serve<S, H>(stream: S, settings: &Settings, handler: &mut H) -> Result<(), WireError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Handler,
{
    let mut frames = Frames::new(stream, settings.max_packet);
    let login = tokio::time::timeout(settings.login_limit, login(&mut frames, settings, handler)).await;
    let (mut client, deprecate_eof) = login.unwrap_or(Err(WireError::Login("it took too long")))?;
    loop {
        frames.restart();
        let Some(packet) = frames.read().await? else { return Ok(()) };
        let answer = match Command::read(&packet)? {
            Command::Quit => return Ok(()),
            Command::Query(sql) => handler.query(&client, &sql).await,
            Command::InitDb(name) => {
                client.database = Some(name);
                Answer::Done { affected: 0 }
            }
            Command::Ping | Command::ResetConnection => Answer::Done { affected: 0 },
            Command::SetOption => Answer::Rows(crate::Rows::default()),
            Command::Unknown(_) => Answer::error(1047, "08S01", "Unknown command"),
        };
        for packet in answer.packets(deprecate_eof) {
            frames.write(&packet);
        }
        frames.flush().await?;
    }
}

async fn login<S, H>(frames: &mut Frames<S>, settings: &Settings, handler: &H) -> Result<(Client, bool), WireError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Handler,
{
    let nonce = settings.nonce.map(plain);
    frames.write(&greeting(&settings.version, settings.connection_id, &nonce, settings.plugin));
    frames.flush().await?;
    let packet = frames.read().await?.ok_or(WireError::Login("it hung up"))?;
    let mut reply = reply(&packet)?;
    let plugin = agree(frames, settings.plugin, &nonce, &mut reply).await?;
    let credential = handler.credential(&reply.user);
    let admitted = credential.is_some_and(|kept| kept.admits(plugin, &nonce, &reply.token));
    if !admitted {
        let words =
            format!("Access denied for user '{}' (using password: {})", reply.user, yes(!reply.token.is_empty()));
        return refuse(frames, words).await;
    }
    if plugin == Plugin::CachingSha2 && !reply.token.is_empty() {
        // Fast path: the token was enough, no clear password is wanted.
        frames.write(&[0x01, 0x03]);
    }
    for packet in (Answer::Done { affected: 0 }).packets(reply.deprecate_eof) {
        frames.write(&packet);
    }
    frames.flush().await?;
    Ok((Client { user: reply.user, database: reply.database }, reply.deprecate_eof))
}

/// Seven bits, neither the zero that ends texts nor the dollar that parts hashes.
fn plain(byte: u8) -> u8 {
    match byte & 0x7F {
        0 | b'$' => b'%',
        other => other,
    }
}

fn yes(flag: bool) -> &'static str {
    if flag { "YES" } else { "NO" }
}

async fn refuse<S, T>(frames: &mut Frames<S>, words: String) -> Result<T, WireError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    for packet in Answer::error(1045, "28000", words).packets(false) {
        frames.write(&packet);
    }
    frames.flush().await?;
    Err(WireError::Login("wrong account or password"))
}

/// Takes the client's plugin if we know it, else asks it to use ours.
async fn agree<S>(
    frames: &mut Frames<S>,
    ours: Plugin,
    nonce: &[u8; 20],
    reply: &mut Reply,
) -> Result<Plugin, WireError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if let Some(theirs) = reply.plugin {
        return Ok(theirs);
    }
    let mut request = vec![0xFE];
    request.extend_from_slice(ours.name().as_bytes());
    request.push(0);
    request.extend_from_slice(nonce);
    request.push(0);
    frames.write(&request);
    frames.flush().await?;
    reply.token = frames.read().await?.ok_or(WireError::Login("it hung up"))?;
    Ok(ours)
}
