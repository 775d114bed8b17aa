//! Where tokens begin and end, and that no statement does harm.

use super::*;
use proptest::prelude::*;

fn tokens(sql: &str) -> Vec<Token<'_>> {
    cut(sql).unwrap().into_iter().map(|piece| piece.token).collect()
}

fn text(text: &str) -> Token<'static> {
    Token::Text(text.to_owned())
}

#[test]
fn quotes_of_both_kinds_end_where_they_end() {
    assert_eq!(tokens(r#"'a''b' "c""d" 'e"f' "g'h""#), [text("a'b"), text("c\"d"), text("e\"f"), text("g'h")]);
    assert_eq!(tokens(r"'it\'s' 'a\\' 'x\ny' '\%'"), [text("it's"), text("a\\"), text("x\ny"), text("\\%")]);
    assert_eq!(tokens(r"`a``b` `c\`"), [Token::Name("a`b".to_owned()), Token::Name("c\\".to_owned())]);
    assert_eq!(tokens("'ä;--'"), [text("ä;--")]);
}

#[test]
fn comments_fall_away_but_for_those_meant_to_run() {
    let show = [Token::Word("show"), Token::Word("x")];
    for sql in ["show/* a */x", "show -- a\nx", "show # a\nx", "show\tx--", "/*!40101 show*/ x", "/*! show x */"] {
        assert_eq!(tokens(sql), show, "{sql}");
    }
    assert_eq!(tokens("1--1").len(), 4, "minus minus without a blank is no comment");
    assert_eq!(tokens("-- all of it"), []);
    for sql in ["show /* a", "show 'a", "`a", "/*! show", "'a\\"] {
        assert!(cut(sql).is_err(), "{sql}");
    }
}

#[test]
fn signs_variables_and_placeholders_stand_alone() {
    let expected = [
        Token::Word("a"),
        Token::Sign(":="),
        Token::Variable("@@session.b"),
        Token::Sign("="),
        Token::Placeholder,
        Token::Sign(","),
        Token::Number("1.5"),
        Token::Sign(";"),
    ];
    assert_eq!(tokens("a:=@@session.b=?,1.5;"), expected);
    assert_eq!(tokens("'?' /* ? */ `?`").iter().filter(|token| **token == Token::Placeholder).count(), 0);
}

proptest! {
    #[test]
    fn no_statement_makes_it_panic_and_tokens_stand_in_order(sql in any::<String>()) {
        if let Ok(pieces) = cut(&sql) {
            let mut last = 0;
            for piece in pieces {
                prop_assert!(last <= piece.start && piece.start < piece.end && piece.end <= sql.len());
                last = piece.end;
            }
        }
    }

    #[test]
    fn what_is_quoted_comes_back(words in any::<String>()) {
        let quoted = format!("'{}'", words.replace('\\', "\\\\").replace('\'', "''"));
        prop_assert_eq!(tokens(&quoted), [Token::Text(words)]);
    }
}
