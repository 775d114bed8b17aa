//! Statements as people and drivers write them.

use super::*;
use proptest::prelude::*;

fn plain(sql: &str) -> Result<Statement, Refusal> {
    read(sql, &[])
}

fn set(name: &str, value: Given) -> Statement {
    Statement::Set { name: name.to_owned(), value }
}

#[test]
fn show_logservice_is_read_in_any_case_with_any_blanks_and_comments() {
    for sql in ["show logservice stores;", "SHOW  LogService\n STORES", "/* a */ show logservice stores -- b\n;;"] {
        assert_eq!(plain(sql), Ok(Statement::Show(Listing::Stores)), "{sql}");
    }
    assert_eq!(plain("show logservice replicas"), Ok(Statement::Show(Listing::Replicas)));
    assert_eq!(plain("show logservice settings"), Ok(Statement::Show(Listing::Settings)));
    for sql in
        ["show logservice", "show logservice shards", "show logservice stores; select 1", "show logservice 'stores'"]
    {
        assert!(matches!(plain(sql), Err(Refusal::Syntax(_))), "{sql}");
    }
}

#[test]
fn set_logservice_takes_both_signs_both_quotes_and_every_kind_of_value() {
    let (name, west) = ("non_voting_locality", Given::Text("region:west".to_owned()));
    for sql in [
        r#"set logservice settings non_voting_locality="region:west";"#,
        "SET LOGSERVICE SETTINGS non_voting_locality := 'region:west'",
        "set logservice settings `non_voting_locality` = 'region:west' ;",
    ] {
        assert_eq!(plain(sql), Ok(set(name, west.clone())), "{sql}");
    }
    let other = |text: &str| Given::Other(text.to_owned());
    for (written, given) in [
        ("1", Given::Number(1)),
        ("-1", Given::Number(-1)),
        ("- 9223372036854775808", Given::Number(i64::MIN)),
        ("18446744073709551615", other("18446744073709551615")),
        ("1.5", other("1.5")),
        ("true", other("true")),
        ("''", Given::Text(String::new())),
    ] {
        assert_eq!(plain(&format!("set logservice settings n = {written}")), Ok(set("n", given)), "{written}");
    }
    for sql in [
        "set logservice settings",
        "set logservice n = 1",
        "set logservice settings n 1",
        "set logservice settings n = west",
    ] {
        assert!(matches!(plain(sql), Err(Refusal::Syntax(_))), "{sql}");
    }
    assert!(matches!(plain("set logservice settings n = 1, m = 2"), Err(Refusal::Syntax(near)) if near == ", m = 2"));
}

#[test]
fn placeholders_take_their_values_and_never_become_sql() {
    let sql = "set logservice settings n = ?";
    let bound = |value| read(sql, &[value]);
    let hostile = "x'; set logservice settings n = 1; --";
    assert_eq!(bound(Value::Bytes(hostile.into())), Ok(set("n", Given::Text(hostile.to_owned()))));
    assert_eq!(bound(Value::Signed(-3)), Ok(set("n", Given::Number(-3))));
    assert_eq!(bound(Value::Unsigned(3)), Ok(set("n", Given::Number(3))));
    assert_eq!(bound(Value::Unsigned(u64::MAX)), Ok(set("n", Given::Other(u64::MAX.to_string()))));
    assert_eq!(bound(Value::Null), Ok(set("n", Given::Other("NULL".to_owned()))));
    assert!(matches!(plain(sql), Err(Refusal::Syntax(_))), "a value is missing");
    assert_eq!((placeholders(sql), placeholders("set x = '?' /* ? */")), (Ok(1), Ok(0)));
}

#[test]
fn what_clients_set_for_themselves_is_let_be() {
    for sql in [
        "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci",
        "SET AUTOCOMMIT = 0",
        "SET experimental_ivf_index = 1",
        "SET sql_mode=(SELECT CONCAT(@@sql_mode, ',PIPES_AS_CONCAT')),time_zone='+00:00',NAMES utf8mb4;",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "set @@session.sql_mode = '', @mine := 3",
        "set character set utf8",
        "BEGIN",
        "start transaction with consistent snapshot",
        "commit",
        "ROLLBACK;",
    ] {
        assert_eq!(plain(sql), Ok(Statement::Nothing), "{sql}");
    }
    assert_eq!(plain("set nonsense = 1"), Err(Refusal::Variable("nonsense".to_owned())));
    assert_eq!(plain("set names utf8, nonsense = 1"), Err(Refusal::Variable("nonsense".to_owned())));
    for sql in ["set global max_connections = 1", "set @@global.sql_mode = ''", "set password = 'x'", "set role r"] {
        assert!(matches!(plain(sql), Err(Refusal::NotSupported(_))), "{sql}");
    }
}

#[test]
fn selects_of_session_facts_keep_the_names_they_were_written_with() {
    let sql = "SELECT @@Version_Comment, DATABASE() AS db, current_user, 'a', @@session.sql_mode, 1 FROM DUAL LIMIT 1";
    let Ok(Statement::Select(items)) = plain(sql) else { panic!("it is a select") };
    let labels: Vec<&str> = items.iter().map(|item| item.label.as_str()).collect();
    assert_eq!(labels, ["@@Version_Comment", "db", "current_user", "a", "@@session.sql_mode", "1"]);
    assert_eq!(items[0].fact, Fact::Variable("version_comment".to_owned()));
    assert_eq!(items[4].fact, Fact::Variable("sql_mode".to_owned()));
}

#[test]
fn what_needs_a_database_is_refused_and_says_so() {
    for sql in [
        "select a from t",
        "select sleep(1)",
        "select version",
        "insert into t values (1)",
        "show tables",
        "drop table t",
    ] {
        assert!(matches!(plain(sql), Err(Refusal::NotSupported(_))), "{sql}");
    }
    assert_eq!(plain(" ; -- nothing"), Err(Refusal::Empty));
    assert!(matches!(plain("'text'"), Err(Refusal::Syntax(_))));
}

proptest! {
    #[test]
    fn no_statement_makes_it_panic(sql in any::<String>()) {
        let _ = plain(&sql);
    }

    #[test]
    fn no_row_of_words_makes_it_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "show", "set", "select", "use", "logservice", "settings", "stores", "=", ":=", ",", ";", "(", ")", "-",
                "'a'", "1", "?", "@@a", "@a", "names", "session", "like", "variables", "limit", "as", "from", "dual", "`n`", "version",
            ]),
            0..9,
        ),
    ) {
        let _ = read(&words.join(" "), &[Value::Null]);
    }
}
