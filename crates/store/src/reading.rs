//! Reading outside transactions.

use crate::{
    database::Database,
    fault::is_an_answer,
    rows,
    transaction::{Hold, in_time},
};
use jobs::StoreError;
use sqlx::any::AnyRow;

/// A statement and what is bound to it: texts first, then numbers.
struct Question<'a> {
    statement: &'a str,
    texts: &'a [&'a str],
    numbers: &'a [i64],
    /// Keep it prepared for the next time.
    keep: bool,
}

impl Database {
    /// Reads rows; texts are bound first, then numbers.
    pub(crate) async fn read(
        &self,
        statement: &str,
        texts: &[&str],
        numbers: &[i64],
    ) -> Result<Vec<AnyRow>, StoreError> {
        self.ask(Question { statement, texts, numbers, keep: true }).await
    }

    /// Reads one number. Prepared anew each time: from its second execution on, MariaDB 10.11 answers a prepared `COUNT(*)`
    /// from whole rows, bodies included, and not from an index.
    pub(crate) async fn count(&self, statement: &str, texts: &[&str]) -> Result<u64, StoreError> {
        let found = self.ask(Question { statement, texts, numbers: &[], keep: false }).await?;
        found.first().map_or(Ok(0), |row| rows::count(row, 0))
    }

    async fn ask(&self, question: Question<'_>) -> Result<Vec<AnyRow>, StoreError> {
        let mut query = sqlx::query(self.dialect().sql(question.statement)).persistent(question.keep);
        for text in question.texts {
            query = query.bind(*text);
        }
        for number in question.numbers {
            query = query.bind(*number);
        }
        let failed = |error: sqlx::Error| self.unavailable(&error.to_string());
        let mut hold = Hold::on(self.reader()).await.map_err(failed)?;
        let found = in_time(query.fetch_all(hold.connection())).await;
        if found.as_ref().map_or_else(is_an_answer, |_| true) {
            hold.give_back();
        }
        found.map_err(failed)
    }
}
