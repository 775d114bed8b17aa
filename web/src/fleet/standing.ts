// What the members of a fleet come to, taken together: pure sums and names, no drawing.
import type { ClusterTopology, Edge, GraphNode, TableSpace } from '../api/shapes';
import { address } from '../shell/measure';

export interface Space { file: number; freed: number; low: number; high: number; tables: number }

export const nodeName = (node: GraphNode): string => address(node.address);

/** Seconds; null where a replica's lag is unknown, which is the dangerous case and outweighs any number. */
export function worstLag(nodes: GraphNode[]): number | null {
  const fed = nodes.filter((node) => node.reach.state === 'reached' && node.role !== 'primary' && node.role !== 'binlog-client');
  if (fed.some((node) => node.lag_seconds === null)) return null;
  return fed.reduce((worst, node) => Math.max(worst, node.lag_seconds ?? 0), 0);
}

/** Sums per `host:port`; predicted growth gives nothing back and counts as none. */
export function spaceByNode(tables: TableSpace[]): Map<string, Space> {
  const sums = new Map<string, Space>();
  for (const table of tables) {
    const sum = sums.get(table.node) ?? { file: 0, freed: 0, low: 0, high: 0, tables: 0 };
    sum.file += table.file_bytes;
    sum.freed += Math.max(0, table.predicted_freed_bytes);
    sum.low += Math.max(0, table.predicted_low_bytes);
    sum.high += Math.max(0, table.predicted_high_bytes);
    sum.tables += 1;
    sums.set(table.node, sum);
  }
  return sums;
}

export function total(sums: Iterable<Space>): Space {
  const all: Space = { file: 0, freed: 0, low: 0, high: 0, tables: 0 };
  for (const sum of sums) {
    all.file += sum.file;
    all.freed += sum.freed;
    all.low += sum.low;
    all.high += sum.high;
    all.tables += sum.tables;
  }
  return all;
}

/** A link's place in the address: stable while the topology is. */
export const edgeKey = (edge: Edge): string => `${edge.source}>${edge.target}#${edge.channel}`;

/** Told by source and target both. */
export function confirmed(edge: Edge): boolean {
  const tellers = new Set(edge.evidence.map((proof) => proof.told_by));
  return tellers.has(edge.source) && tellers.has(edge.target);
}

export function member(topology: ClusterTopology, id: string): GraphNode | undefined {
  return topology.nodes.find((node) => node.id === id);
}

/** The address a proof's teller is known by. */
export function nameOf(topology: ClusterTopology, id: string): string {
  const node = member(topology, id);
  return node ? nodeName(node) : id;
}
