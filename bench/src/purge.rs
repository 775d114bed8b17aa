//! Waits until a server has purged what was deleted, so that sizes stand still.

use mysql::Session;
use std::time::Duration;

/// Returns once the history list is short or no longer shrinks for two seconds.
pub async fn wait(session: &mut Session) {
    let (mut last, mut still) = (u64::MAX, 0);
    for _ in 0..600 {
        let length = history(session).await;
        still = if length >= last { still + 1 } else { 0 };
        if length < 10 || still > 8 {
            return;
        }
        last = length;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

async fn history(session: &mut Session) -> u64 {
    let row = session.row("SHOW ENGINE INNODB STATUS").await.unwrap();
    let text = row.and_then(|row| row.text("Status")).unwrap_or_default();
    let after = text.split("History list length ").nth(1).unwrap_or_default();
    after.split(|c: char| !c.is_ascii_digit()).next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
