// What the plan form holds, how it is written into the address, and what is sent for it.
import type { ClusterJobRequest, JobConfig, Scope, WorkMode } from '../api/shapes';

export interface Wish {
  target: string; scope: Scope; mode: WorkMode; threshold_mb: number; threshold_percent: number; exclude_primary: boolean;
  databases: string; tables: string; batch_size: number; timeout: string; parallel: number; max_lag: number; shrink_undo: boolean;
}

/** The seed's defaults; the server holds the configured ones and answers with what it resolved. */
export const DEFAULT: Wish = {
  target: '', scope: 'auto', mode: 'binlog-off', threshold_mb: 100, threshold_percent: 10, exclude_primary: true,
  databases: '', tables: '', batch_size: 5, timeout: '1h', parallel: 1, max_lag: 10, shrink_undo: false,
};
const KEYS = Object.keys(DEFAULT) as (keyof Wish)[];

function typed(key: keyof Wish, text: string): string | number | boolean {
  const like = DEFAULT[key];
  if (typeof like === 'number') return Number.isFinite(Number(text)) ? Number(text) : like;
  return typeof like === 'boolean' ? text === 'true' || (text !== 'false' && like) : text;
}

export function fromQuery(query: URLSearchParams): Wish {
  const said = KEYS.filter((key) => query.has(key)).map((key) => [key, typed(key, query.get(key) ?? '')]);
  return { ...DEFAULT, ...Object.fromEntries(said) };
}

/** Only what differs from the defaults, so that addresses stay short. */
export function toQuery(wish: Wish): Record<string, string> {
  return Object.fromEntries(KEYS.map((key) => [key, wish[key] === DEFAULT[key] ? '' : String(wish[key])]));
}

const list = (text: string): string[] => text.split(',').map((part) => part.trim()).filter(Boolean);

function config(wish: Wish): JobConfig {
  const changed: JobConfig = {};
  const put = <K extends keyof JobConfig & keyof Wish>(key: K) => {
    if (wish[key] !== DEFAULT[key]) (changed as Record<string, unknown>)[key] = wish[key];
  };
  for (const key of ['scope', 'mode', 'threshold_mb', 'threshold_percent', 'exclude_primary', 'batch_size', 'timeout', 'parallel', 'max_lag', 'shrink_undo'] as const) put(key);
  if (list(wish.databases).length > 0) changed.databases = list(wish.databases);
  if (list(wish.tables).length > 0) changed.tables = list(wish.tables);
  return changed;
}

/** `host:port` or `[v6]:port`. */
export function parts(target: string): { host: string; port: number } | null {
  const found = /^\[?(.+?)\]?:(\d+)$/.exec(target);
  return found ? { host: found[1] as string, port: Number(found[2]) } : null;
}

export function request(wish: Wish): ClusterJobRequest {
  return { config: config(wish), ...(parts(wish.target) ?? {}) };
}
