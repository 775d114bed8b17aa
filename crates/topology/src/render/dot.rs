//! Graphviz: nodes by role, edges by health and proof.

use api::{ClusterTopology, Edge, EdgeKind, GraphNode, Reach};
use std::fmt::Write;

/// The topology in the DOT language; `dot -Tsvg` draws it.
pub fn dot(topology: &ClusterTopology) -> String {
    let mut text = String::from(
        "digraph topology {\n  rankdir=TB;\n  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n",
    );
    let _ = writeln!(text, "  label={};", quoted(&topology.cluster_name));
    for node in &topology.nodes {
        let _ = writeln!(
            text,
            "  {} [label={}, fillcolor={}];",
            quoted(&node.id),
            quoted(&label(node)),
            quoted(color(node))
        );
    }
    for edge in &topology.edges {
        let _ = writeln!(
            text,
            "  {} -> {} [label={}, style={}, color={}{}];",
            quoted(&edge.source),
            quoted(&edge.target),
            quoted(&edge_label(edge)),
            if is_confirmed(edge) { "solid" } else { "dashed" },
            quoted(if edge.healthy == Some(false) { "#c0392b" } else { "#2c3e50" }),
            if edge.kind == EdgeKind::Galera { ", dir=both" } else { "" },
        );
    }
    text.push_str("}\n");
    text
}

/// A DOT string: quotes and backslashes escaped, line ends as `\n`.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "");
    format!("\"{escaped}\"")
}

fn label(node: &GraphNode) -> String {
    let lag = node.lag_seconds.map_or(String::new(), |seconds| format!(", {seconds} s behind"));
    let engine = format!("{} {}", node.flavor, node.version);
    let writer = if node.writer && node.reach == Reach::Reached { ", may take writes" } else { "" };
    format!("{}\n{}{writer}{lag}\n{}", node.address, node.role, engine.trim())
}

fn color(node: &GraphNode) -> &'static str {
    match (&node.reach, node.role.as_str()) {
        (Reach::Unreachable { .. }, _) => "#f5b7b1",
        (Reach::BeyondDepth, _) => "#e5e7e9",
        (Reach::NotAServer, _) => "#d6eaf8",
        (Reach::Reached, "primary" | "group-primary" | "galera") => "#f9e79f",
        (Reach::Reached, _) => "#d5f5e3",
    }
}

/// Told from both ends, or by the target, which knows.
fn is_confirmed(edge: &Edge) -> bool {
    edge.evidence.iter().any(|proof| proof.told_by == edge.target)
}

fn edge_label(edge: &Edge) -> String {
    let kind = match edge.kind {
        EdgeKind::Binlog => "",
        EdgeKind::Group => "group",
        EdgeKind::Galera => "galera",
    };
    [kind, &edge.channel].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
