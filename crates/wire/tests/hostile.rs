//! Whatever a client sends, the server neither panics nor hangs, and others are served as before.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic")]

use proptest::prelude::*;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use types::Secret;
use wire::{Answer, Client, Credential, ErrorAnswer, Handler, Rows, Settings, Value, WireError, serve};

/// Knows `open`, who has no password, and says what it was asked.
struct Echo;

impl Handler for Echo {
    fn credential(&self, user: &str) -> Option<Credential> {
        (user == "open").then(|| Credential::of(&Secret::default()))
    }

    fn prepare(&mut self, _: &Client, sql: &str) -> Result<u16, ErrorAnswer> {
        Ok(u16::try_from(sql.matches('?').count()).unwrap_or(u16::MAX))
    }

    async fn query(&mut self, _: &mut Client, sql: &str, values: &[Value]) -> Answer {
        Answer::Rows(Rows::new(&["said"], vec![vec![Some(format!("{sql} {values:?}"))]]))
    }
}

fn settings() -> Settings {
    let settings = Settings::new("8.0.30-test", 1, [7; 20]);
    Settings {
        max_packet: 1 << 20,
        login_limit: Duration::from_secs(2),
        idle_limit: Duration::from_secs(2),
        ..settings
    }
}

/// A frame of a packet.
fn frame(sequence: u8, packet: &[u8]) -> Vec<u8> {
    let length = u32::try_from(packet.len()).unwrap().to_le_bytes();
    [&length[..3], &[sequence], packet].concat()
}

/// A login of `open`: flags, packet limit, collation, filler, name, no token.
fn login() -> Vec<u8> {
    let flags: u32 = 1 << 9 | 1 << 15 | 1 << 19 | 1 << 24;
    let head = [&flags.to_le_bytes()[..], &[0; 4], &[45], &[0; 23]].concat();
    frame(1, &[&head[..], b"open\0", &[0], b"caching_sha2_password\0"].concat())
}

/// Serves one client that sends this and then closes its half; what it was sent.
async fn played(bytes: &[u8]) -> (Result<(), WireError>, Vec<u8>) {
    let (ours, theirs): (DuplexStream, DuplexStream) = duplex(1 << 22);
    let bytes = bytes.to_vec();
    let client = tokio::spawn(async move {
        let (mut reader, mut writer) = tokio::io::split(ours);
        writer.write_all(&bytes).await.ok();
        writer.shutdown().await.ok();
        let mut heard = Vec::new();
        reader.read_to_end(&mut heard).await.ok();
        heard
    });
    let served = tokio::time::timeout(Duration::from_secs(20), serve(theirs, &settings(), &mut Echo)).await;
    (served.expect("it does not hang"), client.await.unwrap())
}

fn run(bytes: &[u8]) -> (Result<(), WireError>, Vec<u8>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(played(bytes))
}

fn holds(heard: &[u8], words: &[u8]) -> bool {
    heard.windows(words.len()).any(|window| window == words)
}

#[test]
fn the_login_of_these_tests_is_a_good_one() {
    let (served, heard) = run(&[login(), frame(0, b"\x03hello"), frame(0, b"\x01")].concat());
    served.unwrap();
    assert!(holds(&heard, b"hello []"));
}

#[test]
fn a_stranger_may_not_announce_more_than_a_login_needs() {
    let (served, _) = run(&[0xFF, 0xFF, 0xFF, 1]);
    assert!(matches!(served, Err(WireError::TooLarge { .. })), "{served:?}");
}

#[test]
fn a_packet_that_ends_early_or_comes_out_of_order_ends_the_connection() {
    let short = [login(), vec![100, 0, 0, 0, 3]].concat();
    assert!(matches!(run(&short).0, Err(WireError::Io(_))));
    let order = [login(), frame(5, b"\x03hello")].concat();
    assert!(matches!(run(&order).0, Err(WireError::Protocol(_))));
}

#[test]
fn commands_nobody_knows_are_refused_and_the_next_is_answered() {
    let field_list = frame(0, b"\x04table\0");
    let (served, heard) =
        run(&[login(), field_list, frame(0, &[0xEE]), frame(0, b"\x03after"), frame(0, b"\x01")].concat());
    served.unwrap();
    assert!(holds(&heard, b"Unknown command") && holds(&heard, b"after []"));
}

#[test]
fn a_set_option_is_answered_with_one_packet() {
    let before = run(&[login(), frame(0, b"\x01")].concat()).1.len();
    let (_, heard) = run(&[login(), frame(0, &[0x1b, 0, 0]), frame(0, b"\x01")].concat());
    assert_eq!(heard[before..], frame(1, &[0xFE, 0, 0, 2, 0, 0, 0]));
}

fn command() -> impl Strategy<Value = Vec<u8>> {
    let number =
        prop::sample::select(vec![0x02, 0x03, 0x04, 0x0e, 0x11, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1f, 0xEE]);
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        (0..3_u8, prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(id, rest)| [vec![id, 0, 0, 0], rest].concat()),
        Just(b"select ? and ?".to_vec()),
    ];
    (number, body).prop_map(|(number, body)| [vec![number], body].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_of_a_stranger_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..200), framed in any::<bool>()) {
        let bytes = if framed { frame(1, &bytes) } else { bytes };
        let _ = run(&bytes);
    }

    #[test]
    fn no_commands_of_a_client_do_harm(commands in prop::collection::vec(command(), 0..20)) {
        let frames: Vec<Vec<u8>> = commands.iter().map(|command| frame(0, command)).collect();
        let _ = run(&[login(), frames.concat()].concat());
    }
}
