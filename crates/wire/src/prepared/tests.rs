//! Kept statements: what is bound, what is refused, and what it may weigh.

use super::*;
use proptest::prelude::*;

fn shelf(parameters: u16) -> (Shelf, u32) {
    let mut shelf = Shelf::new(1000);
    let statement = shelf.keep("select ?".to_owned(), parameters).unwrap();
    (shelf, statement)
}

/// A run of statement 1 with what follows its head.
fn run(rest: &[u8]) -> Vec<u8> {
    [&[1, 0, 0, 0, 0, 1, 0, 0, 0], rest].concat()
}

#[test]
fn values_are_bound_by_their_types_and_nulls_by_their_bits() {
    let (mut shelf, _) = shelf(3);
    let first = run(&[0b010, 1, 0x01, 0, 0xFD, 0, 0xFD, 0, 0xFF, 2, b'a', b'b']);
    let (sql, values) = shelf.bind(&first).unwrap();
    assert_eq!(sql, "select ?");
    assert_eq!(values, [Value::Signed(-1), Value::Null, Value::Bytes(b"ab".to_vec())]);
    let again = run(&[0b100, 0, 7, 1, b'c']);
    let values = shelf.bind(&again).unwrap().1;
    assert_eq!(values, [Value::Signed(7), Value::Bytes(b"c".to_vec()), Value::Null], "types are remembered");
}

#[test]
fn pieces_make_one_value_and_serve_one_run() {
    let (mut shelf, statement) = shelf(2);
    shelf.add(statement, 0, b"long ");
    shelf.add(statement, 0, b"text");
    let types = [0, 1, 0xFC, 0, 0x01, 0];
    let values = shelf.bind(&run(&[&types[..], &[5]].concat())).unwrap().1;
    assert_eq!(values, [Value::Bytes(b"long text".to_vec()), Value::Signed(5)]);
    let values = shelf.bind(&run(&[0, 0, 1, b'x', 5])).unwrap().1;
    assert_eq!(values, [Value::Bytes(b"x".to_vec()), Value::Signed(5)]);
    shelf.add(statement, 0, b"forgotten");
    shelf.reset(statement).unwrap();
    assert_eq!(shelf.bind(&run(&[0, 0, 1, b'y', 5])).unwrap().1[0], Value::Bytes(b"y".to_vec()));
}

#[test]
fn what_is_unknown_or_broken_is_an_error_with_a_number() {
    let (mut shelf, statement) = shelf(1);
    let number = |shelf: &mut Shelf, packet: &[u8]| shelf.bind(packet).unwrap_err().code;
    assert_eq!(number(&mut shelf, &[9, 0, 0, 0, 0, 1, 0, 0, 0]), 1243);
    assert_eq!(number(&mut shelf, &run(&[0, 0, 5])), 1210, "no types yet");
    assert_eq!(number(&mut shelf, &run(&[0, 1, 0x08, 0, 5])), 1210, "too short");
    assert_eq!(number(&mut shelf, &run(&[0, 1, 0x20, 0, 5])), 1210, "no such type");
    shelf.close(statement);
    assert_eq!(number(&mut shelf, &run(&[0, 1, 0x01, 0, 5])), 1243);
    assert_eq!(shelf.reset(statement).unwrap_err().code, 1243);
}

#[test]
fn a_shelf_has_an_end_and_closing_makes_room() {
    let (mut shelf, statement) = shelf(1);
    shelf.add(statement, 0, &[b'x'; 992]);
    assert_eq!(shelf.keep("y".to_owned(), 0).unwrap_err().code, 1461);
    shelf.add(statement, 0, b"y");
    assert_eq!(shelf.bind(&run(&[0, 1, 0xFC, 0])).unwrap_err().code, 1210, "a piece was lost");
    shelf.bind(&run(&[0, 1, 0xFC, 0, 1, b'z'])).unwrap();
    shelf.close(statement);
    assert_eq!(shelf.weight, 0);
    for _ in 0..MOST {
        shelf.keep(String::new(), 0).unwrap();
    }
    assert_eq!(shelf.keep(String::new(), 0).unwrap_err().code, 1461);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_and_the_weight_stays_true(
        steps in prop::collection::vec((0..4_u8, 0..3_u32, 0..4_u16, prop::collection::vec(any::<u8>(), 0..60)), 0..40),
    ) {
        let mut shelf = Shelf::new(200);
        for (step, statement, parameter, bytes) in steps {
            match step {
                0 => drop(shelf.keep(String::from_utf8_lossy(&bytes).into_owned(), parameter)),
                1 => shelf.add(statement, parameter, &bytes),
                2 => drop(shelf.bind(&[&statement.to_le_bytes()[..], &bytes].concat())),
                _ => shelf.close(statement),
            }
            prop_assert_eq!(shelf.weight, shelf.kept.values().map(Prepared::weight).sum::<usize>());
            prop_assert!(shelf.weight <= 200);
        }
    }
}
