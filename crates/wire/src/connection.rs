//! One client connection from greeting to goodbye.

use crate::auth::Credential;
use crate::column::Format;
use crate::frame::Frames;
use crate::login::{Line, login};
use crate::prepared::{Shelf, kept};
use crate::{Answer, Command, ErrorAnswer, Settings, Value, WireError, answer, greeting};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Client {
    /// Account name.
    pub user: String,
    /// The database in use: what it asked for when it came, or later; a handler may change it.
    pub database: Option<String>,
}

/// What a server does for its clients.
pub trait Handler: Send {
    /// What is kept of the account's password; `None` if there is no such account.
    fn credential(&self, user: &str) -> Option<Credential>;

    /// Answers one statement; `values` stand for its placeholders, in order, and are empty for one that was not prepared.
    fn query(&mut self, client: &mut Client, sql: &str, values: &[Value]) -> impl Future<Output = Answer> + Send;

    /// How many placeholders a statement has that is to be prepared; by default none is prepared.
    ///
    /// # Errors
    /// Why it is not prepared.
    fn prepare(&mut self, _client: &Client, _sql: &str) -> Result<u16, ErrorAnswer> {
        Err(ErrorAnswer::new(1295, "HY000", "This server does not prepare statements"))
    }
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
    let line = tokio::time::timeout(settings.login_limit, login(stream, settings, handler)).await;
    let mut line = line.unwrap_or(Err(WireError::Login("it took too long")))?;
    line.frames.allow(settings.max_packet);
    Connection { line, settings, handler, shelf: Shelf::new(settings.max_packet) }.run().await
}

/// A client that is logged in.
struct Connection<'a, S, H> {
    line: Line<S>,
    settings: &'a Settings,
    handler: &'a mut H,
    shelf: Shelf,
}

impl<S: AsyncRead + AsyncWrite + Unpin, H: Handler> Connection<'_, S, H> {
    async fn run(&mut self) -> Result<(), WireError> {
        loop {
            self.line.frames.restart();
            let packet = patient(self.settings.idle_limit, self.line.frames.read()).await?;
            let Some(packet) = packet else { return Ok(()) };
            match Command::read(&packet)? {
                Command::Quit => return Ok(()),
                Command::ChangeUser(rest) => self.change_user(&rest).await?,
                command => {
                    for packet in self.answer(command).await {
                        self.line.frames.write(&packet);
                    }
                }
            }
            patient(self.settings.idle_limit, self.line.frames.flush()).await?;
        }
    }

    /// The packets that answer a command; none for those that are not answered.
    async fn answer(&mut self, command: Command) -> Vec<Vec<u8>> {
        let old = !greeting::deprecates_eof(self.line.flags);
        let (answer, format) = match command {
            Command::Query(sql) => (self.handler.query(&mut self.line.client, &sql, &[]).await, Format::Text),
            Command::Execute(packet) => (self.execute(&packet).await, Format::Binary),
            Command::Prepare(sql) => return self.prepare(sql),
            Command::SetOption => return vec![if old { answer::eof() } else { answer::done(0xFE, 0) }],
            other => match self.settle(other) {
                Some(answer) => (answer, Format::Text),
                None => return Vec::new(),
            },
        };
        answer.packets(format, !old)
    }

    /// Does what needs no handler.
    fn settle(&mut self, command: Command) -> Option<Answer> {
        match command {
            Command::InitDb(name) => self.line.client.database = Some(name),
            Command::ResetConnection => self.shelf = Shelf::new(self.settings.max_packet),
            Command::Reset(statement) => {
                if let Err(error) = self.shelf.reset(statement) {
                    return Some(Answer::Error(error));
                }
            }
            Command::LongData { statement, parameter, piece } => {
                self.shelf.add(statement, parameter, &piece);
                return None;
            }
            Command::Close(statement) => {
                self.shelf.close(statement);
                return None;
            }
            Command::Ping => {}
            _ => return Some(Answer::error(1047, "08S01", "Unknown command")),
        }
        Some(Answer::Done { affected: 0 })
    }

    fn prepare(&mut self, sql: String) -> Vec<Vec<u8>> {
        let prepared = self.handler.prepare(&self.line.client, &sql);
        let prepared = prepared.and_then(|parameters| Ok((self.shelf.keep(sql, parameters)?, parameters)));
        match prepared {
            Ok((statement, parameters)) => kept(statement, parameters, greeting::deprecates_eof(self.line.flags)),
            Err(error) => vec![error.packet()],
        }
    }

    async fn execute(&mut self, packet: &[u8]) -> Answer {
        match self.shelf.bind(packet) {
            Ok((sql, values)) => self.handler.query(&mut self.line.client, &sql, &values).await,
            Err(error) => Answer::Error(error),
        }
    }

    /// A failed wish to be somebody else ends the connection, as a failed login does.
    async fn change_user(&mut self, rest: &[u8]) -> Result<(), WireError> {
        let reply = greeting::change(rest, self.line.flags)?;
        self.shelf = Shelf::new(self.settings.max_packet);
        let admitted = self.line.admit(reply, self.settings, self.handler);
        let admitted = tokio::time::timeout(self.settings.login_limit, admitted).await;
        admitted.unwrap_or(Err(WireError::Login("it took too long")))
    }
}

async fn patient<T>(limit: Duration, work: impl Future<Output = Result<T, WireError>>) -> Result<T, WireError> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(WireError::Idle))
}

/// Tells a client that it cannot come in, instead of a greeting.
///
/// # Errors
/// If the stream broke.
pub async fn turn_away<S: AsyncRead + AsyncWrite + Unpin>(stream: S, error: &ErrorAnswer) -> Result<(), WireError> {
    let mut frames = Frames::new(stream, 0);
    frames.write(&error.bare_packet());
    frames.flush().await
}
