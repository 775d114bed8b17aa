// How the tables of a fleet are picked and put in order.
import type { TableSpace } from '../api/shapes';

export type Column = 'table' | 'node' | 'engine' | 'file' | 'freed' | 'share' | 'dataFree';
export interface Order { by: Column; down: boolean }

const VALUE: Record<Column, (table: TableSpace) => number | string> = {
  table: (table) => `${table.database}.${table.table}`,
  node: (table) => table.node,
  engine: (table) => table.engine,
  file: (table) => table.file_bytes,
  freed: (table) => table.predicted_freed_bytes,
  share: (table) => (table.file_bytes ? table.predicted_freed_bytes / table.file_bytes : 0),
  dataFree: (table) => table.data_free_bytes,
};

function compare(left: number | string, right: number | string): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  return String(left).localeCompare(String(right), undefined, { numeric: true });
}

/** Sorted; equal rows keep the order table, member, so that a table's copies stand together. */
export function sorted(tables: TableSpace[], order: Order): TableSpace[] {
  const value = VALUE[order.by];
  const sign = order.down ? -1 : 1;
  return [...tables].sort(
    (a, b) => sign * compare(value(a), value(b)) || compare(VALUE.table(a), VALUE.table(b)) || compare(a.node, b.node),
  );
}

/** Those on `node` (all if empty), with every word of `text` in their name, of at least `least` bytes. */
export function picked(tables: TableSpace[], node: string, text: string, least: number): TableSpace[] {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  return tables.filter((table) => {
    const name = `${table.database}.${table.table}`.toLowerCase();
    return (!node || table.node === node) && table.file_bytes >= least && wanted.every((word) => name.includes(word));
  });
}
