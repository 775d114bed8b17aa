//! One client at the door: its statements, one after another.

use crate::answer::{Cell, DONE, internal, refused, row};
use crate::statement::{Fact, Item, Listing, Refusal, Statement, placeholders, read};
use crate::{Accounts, LogService, ServiceError, logservice, variables};
use log_server::keeper::{Given, Setting};
use std::sync::Arc;
use std::time::Duration;
use wire::{Answer, Client, Column, ColumnKind, Credential, ErrorAnswer, Handler, Rows, Value};

/// What a session has of the door it came in by.
#[derive(Clone)]
pub(crate) struct Room {
    pub service: Arc<dyn LogService>,
    pub accounts: Arc<Accounts>,
    pub version: String,
    pub answer_limit: Duration,
}

/// One client.
pub(crate) struct Session {
    pub room: Room,
    /// Where it comes from.
    pub host: String,
    pub connection_id: u32,
}

impl Handler for Session {
    fn credential(&self, user: &str) -> Option<Credential> {
        self.room.accounts.credential(user)
    }

    fn prepare(&mut self, _: &Client, sql: &str) -> Result<u16, ErrorAnswer> {
        let count = placeholders(sql).map_err(|refusal| refused(&refusal))?;
        let many = |_| ErrorAnswer::new(1390, "HY000", "Prepared statement contains too many placeholders");
        u16::try_from(count).map_err(many)
    }

    async fn query(&mut self, client: &mut Client, sql: &str, values: &[Value]) -> Answer {
        match read(sql, values) {
            Ok(statement) => self.answer(client, statement).await,
            Err(refusal) => Answer::Error(refused(&refusal)),
        }
    }
}

impl Session {
    async fn answer(&self, client: &mut Client, statement: Statement) -> Answer {
        match statement {
            Statement::Show(_) | Statement::Set { .. } if !self.room.accounts.is_admin(&client.user) => {
                internal("do not have privilege to execute the statement")
            }
            Statement::Show(listing) => self.show(listing).await,
            Statement::Set { name, value } => self.set(client, &name, &value).await,
            Statement::Select(items) => self.select(client, &items),
            Statement::Variables(pattern) => self.variables(pattern.as_deref()),
            Statement::Warnings => Answer::Rows(Rows::new(&["Level", "Code", "Message"], Vec::new())),
            Statement::Use(name) => {
                client.database = Some(name);
                DONE
            }
            Statement::Nothing => DONE,
        }
    }

    async fn show(&self, listing: Listing) -> Answer {
        let late = || ServiceError::Unavailable("it took too long".to_owned());
        match self.limited(self.room.service.state(), late).await {
            Ok(state) => logservice::list(listing, &state),
            Err(error) => internal(&error.to_string()),
        }
    }

    async fn set(&self, client: &Client, name: &str, value: &Given) -> Answer {
        let late = || ServiceError::Unknown("it took too long".to_owned());
        let set = match Setting::read(name, value) {
            Ok(setting) => self.limited(self.room.service.set(setting), late).await,
            Err(error) => Err(error.into()),
        };
        let error = set.as_ref().err().map(ToString::to_string);
        let (name, value, refused) = (brief(&name), brief(value), error.as_ref().map(brief));
        tracing::info!(user = client.user, host = self.host, name, value, refused, "set logservice settings");
        error.map_or(DONE, |error| internal(&error))
    }

    async fn limited<T>(
        &self,
        work: impl Future<Output = Result<T, ServiceError>>,
        late: impl FnOnce() -> ServiceError,
    ) -> Result<T, ServiceError> {
        tokio::time::timeout(self.room.answer_limit, work).await.unwrap_or_else(|_| Err(late()))
    }

    fn select(&self, client: &Client, items: &[Item]) -> Answer {
        let cells: Result<Vec<Cell>, Refusal> = items.iter().map(|item| self.cell(client, item)).collect();
        cells.map_or_else(|refusal| Answer::Error(refused(&refusal)), row)
    }

    fn cell(&self, client: &Client, Item { label, fact }: &Item) -> Result<Cell, Refusal> {
        let (value, kind) = match fact {
            Fact::Variable(name) => self.variable(name)?,
            Fact::Own => (None, ColumnKind::Text),
            Fact::Version => (Some(self.room.version.clone()), ColumnKind::Text),
            Fact::Database => (client.database.clone(), ColumnKind::Text),
            Fact::User => (Some(format!("{}@{}", client.user, self.host)), ColumnKind::Text),
            Fact::ConnectionId => (Some(self.connection_id.to_string()), ColumnKind::LongLong),
            Fact::Literal(given) => literal(given),
        };
        Ok((Column::new(label.clone(), kind), value))
    }

    fn variable(&self, name: &str) -> Result<(Option<String>, ColumnKind), Refusal> {
        match name {
            "version" => Ok((Some(self.room.version.clone()), ColumnKind::Text)),
            "version_comment" => Ok((Some(comment()), ColumnKind::Text)),
            _ => {
                let found = variables::find(name).ok_or_else(|| Refusal::Variable(name.to_owned()))?;
                Ok((found.0.map(str::to_owned), found.1))
            }
        }
    }

    fn variables(&self, pattern: Option<&str>) -> Answer {
        let own = [("version", self.room.version.clone()), ("version_comment", comment())];
        let own = own.into_iter().filter(|(name, _)| variables::wanted(pattern, name));
        let known = variables::like(pattern).into_iter().map(|(name, value)| (name, value.to_owned()));
        let mut rows: Vec<(&str, String)> = known.chain(own).collect();
        rows.sort_unstable();
        let rows = rows.into_iter().map(|(name, value)| vec![Some(name.to_owned()), Some(value)]).collect();
        Answer::Rows(Rows::new(&["Variable_name", "Value"], rows))
    }
}

/// For the log: a client may write as much as it likes, and lines of its own too.
fn brief(words: &impl ToString) -> String {
    words.to_string().chars().take(200).flat_map(char::escape_debug).collect()
}

fn literal(given: &Given) -> (Option<String>, ColumnKind) {
    match given {
        Given::Number(number) => (Some(number.to_string()), ColumnKind::LongLong),
        Given::Other(text) if text.eq_ignore_ascii_case("null") => (None, ColumnKind::Text),
        Given::Other(text) if text.eq_ignore_ascii_case("true") => (Some("1".to_owned()), ColumnKind::LongLong),
        Given::Other(text) if text.eq_ignore_ascii_case("false") => (Some("0".to_owned()), ColumnKind::LongLong),
        Given::Text(text) | Given::Other(text) => (Some(text.clone()), ColumnKind::Text),
    }
}

fn comment() -> String {
    format!("Drydock {}", env!("CARGO_PKG_VERSION"))
}
