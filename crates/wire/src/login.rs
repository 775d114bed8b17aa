//! From the greeting to a client that is known: TLS if it asks for it, then the proof that it has its password.

use crate::auth::{Plugin, Verdict};
use crate::connection::{Client, Handler};
use crate::frame::Frames;
use crate::greeting::{self, Reply};
use crate::transport::Transport;
use crate::{Credential, ErrorAnswer, Settings, WireError};
use tokio::io::{AsyncRead, AsyncWrite};

/// Largest packet of somebody we do not know yet.
const STRANGER: usize = 1 << 16;

/// A connection whose client is known.
pub(crate) struct Line<S> {
    pub frames: Frames<Transport<S>>,
    pub client: Client,
    pub flags: u32,
    encrypted: bool,
    nonce: [u8; 20],
}

/// Greets a client and asks who it is.
pub(crate) async fn login<S, H>(stream: S, settings: &Settings, handler: &H) -> Result<Line<S>, WireError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: Handler,
{
    let nonce = settings.nonce.map(plain);
    let mut frames = Frames::new(Transport::Plain(stream), STRANGER);
    frames.write(&greeting::greeting(settings, &nonce));
    let mut packet = answered(&mut frames).await?;
    let encrypted = greeting::asks_for_tls(&packet);
    if encrypted {
        let config =
            settings.tls.clone().ok_or(WireError::Login("it asked for TLS, which this server does not offer"))?;
        frames = frames.encrypt(config).await?;
        packet = answered(&mut frames).await?;
    } else if settings.require_tls {
        return insecure(&mut frames).await;
    }
    let reply = greeting::reply(&packet)?;
    let (client, flags) = (Client::default(), reply.flags);
    let mut line = Line { frames, client, flags, encrypted, nonce };
    line.admit(reply, settings, handler).await?;
    Ok(line)
}

/// Sends what is queued and takes the answer to it.
async fn answered<S: AsyncRead + AsyncWrite + Unpin>(frames: &mut Frames<S>) -> Result<Vec<u8>, WireError> {
    frames.flush().await?;
    frames.read().await?.ok_or(WireError::Login("it hung up"))
}

async fn insecure<S, T>(frames: &mut Frames<S>) -> Result<T, WireError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let words = "Connections using insecure transport are prohibited: connect with TLS (--ssl, or --ssl-mode=REQUIRED)";
    refuse(frames, &ErrorAnswer::new(3159, "HY000", words), "it came without TLS").await
}

async fn refuse<S, T>(frames: &mut Frames<S>, error: &ErrorAnswer, why: &'static str) -> Result<T, WireError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    frames.write(&error.packet());
    frames.flush().await?;
    Err(WireError::Login(why))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    /// Lets a client in if it proves who it is. The last packet, that all is well, is left to the caller's flush.
    pub(crate) async fn admit<H: Handler>(
        &mut self,
        mut reply: Reply,
        settings: &Settings,
        handler: &H,
    ) -> Result<(), WireError> {
        let plugin = self.agree(settings.plugin, &mut reply).await?;
        let kept = handler.credential(&reply.user);
        let verdict = kept.as_ref().map_or(Verdict::Denied, |kept| kept.judge(plugin, &self.nonce, &reply.token));
        match (verdict, kept) {
            // Fast path: the token was enough, no clear password is wanted. Who has no password waits for no such word.
            (Verdict::Admitted, _) if plugin == Plugin::CachingSha2 && !is_blank(&reply.token) => {
                self.frames.write(&[0x01, 0x03]);
            }
            (Verdict::Admitted, _) => {}
            (Verdict::PasswordNeeded, Some(kept)) => self.ask_password(&kept, &reply).await?,
            (Verdict::PasswordNeeded | Verdict::Denied, _) => return self.deny(&reply).await,
        }
        self.frames.write(&crate::answer::done(0x00, 0));
        self.frames.flush().await?;
        self.client = Client { user: reply.user, database: reply.database };
        Ok(())
    }

    /// Takes the client's plugin if we know it, else asks it to use ours. A client that cannot do ours, which we named first, has not seen
    /// a nonce for its own and sends nothing with it: it is asked again.
    async fn agree(&mut self, ours: Plugin, reply: &mut Reply) -> Result<Plugin, WireError> {
        let plugin = reply.plugin.unwrap_or(ours);
        if reply.plugin == Some(ours) || reply.plugin.is_some() && !reply.token.is_empty() {
            return Ok(plugin);
        }
        let name = plugin.name().as_bytes();
        self.frames.write(&[&[0xFE], name, &[0], &self.nonce, &[0]].concat());
        reply.token = answered(&mut self.frames).await?;
        Ok(plugin)
    }

    /// Full path: the password itself, and so only where nobody can listen.
    async fn ask_password(&mut self, kept: &Credential, reply: &Reply) -> Result<(), WireError> {
        if !self.encrypted {
            let words = format!(
                "Access denied for user '{}': caching_sha2_password needs an encrypted connection for this account; connect with \
                 TLS (--ssl, or --ssl-mode=REQUIRED), or with --default-auth=mysql_native_password",
                reply.user
            );
            return refuse(&mut self.frames, &ErrorAnswer::new(1045, "28000", words), "it needs TLS").await;
        }
        self.frames.write(&[0x01, 0x04]);
        let password = answered(&mut self.frames).await?;
        if kept.is_of(password.strip_suffix(&[0]).unwrap_or(&password)) { Ok(()) } else { self.deny(reply).await }
    }

    async fn deny<T>(&mut self, reply: &Reply) -> Result<T, WireError> {
        let given = if is_blank(&reply.token) { "NO" } else { "YES" };
        let words = format!("Access denied for user '{}' (using password: {given})", reply.user);
        refuse(&mut self.frames, &ErrorAnswer::new(1045, "28000", words), "wrong account or password").await
    }
}

/// No password: no token, or the zero that would end one.
fn is_blank(token: &[u8]) -> bool {
    matches!(token, [] | [0])
}

/// Seven bits, neither the zero that ends texts nor the dollar that parts hashes.
fn plain(byte: u8) -> u8 {
    match byte & 0x7F {
        0 | b'$' => b'%',
        other => other,
    }
}
