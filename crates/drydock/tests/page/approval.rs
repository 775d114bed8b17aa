//! A job that needs two people: its page says who asked, offers the yes to another admin only, and then runs.

use crate::{
    ready,
    yard::{self, Program},
};
use serde_json::{Value, json};
use testkit::{Browser, Engine, Fleet, PASSWORD, Server, USER};

const APPROVE: &str = "header button.main";

async fn waste(server: &Server) {
    let double = "INSERT INTO shop.orders (body) SELECT body FROM shop.orders";
    let mut statements = vec![
        "CREATE DATABASE shop",
        "CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, body VARCHAR(500) NOT NULL)",
        "INSERT INTO shop.orders (body) VALUES (REPEAT('x', 400))",
    ];
    statements.extend([double; 14]);
    statements.push("DELETE FROM shop.orders WHERE id % 10 < 7");
    server.run(&statements).await;
}

/// Asked for over REST by the holder of this token.
async fn asked(program: &Program, token: &str, server: &Server) -> String {
    let address = server.address();
    let target = json!({"host": address.host, "port": address.port, "username": USER, "password": PASSWORD});
    let config = json!({"exclude_primary": false, "threshold_mb": 0, "threshold_percent": 0.0});
    let request = reqwest::Client::new().post(format!("{}/api/v1/recycle/jobs", program.url)).bearer_auth(token);
    let answer = request.json(&json!({"target": target, "config": config})).send().await.expect("an answer");
    let made: Value = answer.json().await.expect("JSON");
    made["data"]["job_id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

/// The job's page as the holder of this token sees it.
async fn seen_by(program: &Program, token: &str, id: &str) -> Browser {
    let mut browser = Browser::open(1280).await;
    browser.goto(&format!("{}/jobs/{id}", program.url)).await;
    browser.fill("input[name=token]", token).await;
    browser.press("Enter").await;
    browser.wait("document.querySelector('[data-approval=missing]')", "who asked").await;
    browser
}

#[tokio::test]
async fn another_admin_approves_on_the_page() {
    if !ready(Engine::MariaDb) {
        return;
    }
    let fleet = Fleet::start(Engine::MariaDb, 0).await;
    let server = fleet.primary();
    waste(server).await;
    let before = server.file_bytes("shop/orders.ibd");
    let ((ann, first), (bob, second)) = (yard::token("ann", "admin"), yard::token("bob", "admin"));
    let second = second.split_once("tokens:\n").expect("an entry").1;
    let program = Program::start(&format!("{first}\n{second}\n  two_person: true")).await;
    let id = asked(&program, &ann, server).await;

    let mut hers = seen_by(&program, &ann, &id).await;
    assert!(hers.text("[data-approval]").await.contains("ann"));
    let offered = format!("document.querySelector('{APPROVE}') !== null");
    assert_eq!(hers.eval(&offered).await, json!(false), "she asked herself");

    let mut his = seen_by(&program, &bob, &id).await;
    his.click(APPROVE).await;
    let question = his.text("dialog").await;
    assert!(question.contains("ann asked for it") && question.contains("takes writes"), "{question}");
    assert_eq!(server.file_bytes("shop/orders.ibd"), before, "asking changes nothing");
    his.click("dialog button.danger").await;
    his.wait("document.querySelector('[data-approval=given]')", "the yes").await;
    his.wait("document.querySelector('[data-status=completed]')", "the job to complete").await;
    assert!(his.text("[data-approval]").await.contains("bob"));
    assert_eq!(his.eval(&offered).await, json!(false), "nothing is left to approve");
    hers.wait("document.querySelector('[data-approval=given]')", "her page to hear of it").await;
    assert!(server.file_bytes("shop/orders.ibd") < before);
}
