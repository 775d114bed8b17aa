// What a plan comes to: pure sums and questions, asked by the page before anyone says yes.
import type { Gate, NodePlan, Plan, TablePlan } from '../api/shapes';

export const work = (node: NodePlan): TablePlan[] => node.batches.flatMap((batch) => batch.tables);
export const allWork = (plan: Plan): TablePlan[] => plan.nodes.flatMap(work);
export const busyNodes = (plan: Plan): NodePlan[] => plan.nodes.filter((node) => work(node).length > 0);

const WRITERS = new Set(['primary', 'group-primary', 'galera']);

/** True if a member that may take writes is worked on, or a logged statement flows through the top. Unknown counts. */
export function touchesWriter(plan: Plan, writers: Set<string>): boolean {
  const grave = (node: NodePlan) => WRITERS.has(node.role) || node.role === 'unknown' || writers.has(node.id);
  return busyNodes(plan).some(grave) || (plan.mode === 'binlog-on' && busyNodes(plan).length > 0);
}

export function gates(plan: Plan): Gate[] {
  return plan.nodes.flatMap((node) => [...node.gates, ...work(node).flatMap((table) => table.gates)]);
}

/** Most disk one table needs while it runs: what must be free at once when members go one by one. */
export const peak = (plan: Plan): number => allWork(plan).reduce((most, table) => Math.max(most, table.data_bytes_needed), 0);
