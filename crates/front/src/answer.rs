//! Answers in the form and with the numbers `MatrixOne`'s clients know.

use crate::statement::Refusal;
use wire::{Answer, Column, ErrorAnswer, Rows};

/// One column and what stands in it, for answers of one row.
pub(crate) type Cell = (Column, Option<String>);

/// Done, nothing changed that is counted.
pub(crate) const DONE: Answer = Answer::Done { affected: 0 };

/// One row.
pub(crate) fn row(cells: Vec<Cell>) -> Answer {
    let (columns, values) = cells.into_iter().unzip();
    Answer::Rows(Rows { columns, rows: vec![values] })
}

/// An error of the service, or of whoever asks it.
pub(crate) fn internal(words: &str) -> Answer {
    Answer::error(20101, "HY000", format!("internal error: {words}"))
}

/// What is told of a statement that is not answered.
pub(crate) fn refused(refusal: &Refusal) -> ErrorAnswer {
    let (code, words) = match refusal {
        Refusal::Empty => (1065, "Query was empty".to_owned()),
        Refusal::Syntax(near) => (1064, format!("SQL parser error: there is an error in the SQL syntax near '{near}'")),
        Refusal::Variable(name) => (1193, format!("Unknown system variable '{name}'")),
        Refusal::NotSupported(what) => {
            let scope =
                "this door answers SHOW LOGSERVICE and SET LOGSERVICE SETTINGS only, until a database is behind it";
            (20105, format!("not supported: {what}: {scope}"))
        }
    };
    ErrorAnswer::new(code, "HY000", words)
}
