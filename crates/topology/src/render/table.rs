//! A tree for terminals, one line per member, with what is outside the tree and the warnings below.

use api::{ClusterTopology, DatabaseNode, GraphNode, Reach};
use std::fmt::Write;

const HEADS: [&str; 7] = ["MEMBER", "ROLE", "WRITER", "READ ONLY", "LAG", "SERVER ID", "VERSION"];

/// The topology as a text table; no colour, no trailing blanks.
pub fn table(topology: &ClusterTopology) -> String {
    let mut rows = vec![HEADS.map(str::to_owned)];
    let tree = &topology.topology;
    for top in tree.master.iter().chain(&tree.slaves) {
        branch(topology, top, "", "", &mut rows);
    }
    let clients = topology.nodes.iter().filter(|node| node.reach == Reach::NotAServer);
    rows.extend(clients.map(|node| row(node, &node.address.host)));
    let mut text = format!("Cluster: {} ({})\n\n{}", topology.cluster_name, topology.cluster_id, aligned(&rows));
    for warning in &topology.warnings {
        let _ = write!(text, "\n! {warning}");
    }
    if !topology.warnings.is_empty() {
        text.push('\n');
    }
    text
}

fn branch(topology: &ClusterTopology, node: &DatabaseNode, lead: &str, stem: &str, rows: &mut Vec<[String; 7]>) {
    let address = types::Address::new(node.host.clone(), node.port);
    let known = topology.nodes.iter().find(|known| known.address == address && known.server_id == node.server_id);
    let name = format!("{lead}{address}");
    match known {
        Some(known) => rows.push(row(known, &name)),
        None => rows.push([name, node.role.clone(), "?".into(), "?".into(), "?".into(), "?".into(), String::new()]),
    }
    for (index, child) in node.slaves.iter().enumerate() {
        let last = index + 1 == node.slaves.len();
        let (turn, more) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        branch(topology, child, &format!("{stem}{turn}"), &format!("{stem}{more}"), rows);
    }
}

fn row(node: &GraphNode, name: &str) -> [String; 7] {
    let yes = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    let reached = node.reach == Reach::Reached;
    let lag = node.lag_seconds.map_or("-".to_owned(), |seconds| format!("{seconds} s"));
    let state = match &node.reach {
        Reach::Reached => format!("{} {}", node.flavor, node.version),
        Reach::Unreachable { .. } => "unreachable".to_owned(),
        Reach::BeyondDepth => "beyond the depth limit".to_owned(),
        Reach::NotAServer => "not a server".to_owned(),
    };
    let read_only = if reached { yes(node.read_only) } else { "?".to_owned() };
    [name.to_owned(), node.role.clone(), yes(node.writer), read_only, lag, node.server_id.to_string(), state]
}

fn aligned(rows: &[[String; 7]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEADS.len()).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text
}
