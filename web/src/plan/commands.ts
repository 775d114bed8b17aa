// The same job as a person would type it: a curl call or the command. Secrets are named, never written.
import type { ClusterJobRequest, Plan } from '../api/shapes';

const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

export function curl(fleet: string, request: ClusterJobRequest, origin: string, tokens: boolean): string {
  const lines = [`curl -X POST ${quoted(`${origin}/api/v1/clusters/${encodeURIComponent(fleet)}/jobs`)}`, `-H 'Content-Type: application/json'`];
  if (tokens) lines.push(`-H "Authorization: Bearer $DRYDOCK_TOKEN"`);
  lines.push(`-d ${quoted(JSON.stringify(request))}`);
  return lines.join(' \\\n  ');
}

/** The command reads its password from `RECYCLER_DB_PASSWORD`, so none stands here. */
export function command(plan: Plan): string {
  const asked = plan.config;
  const words = ['drydock recycle', `--host ${quoted(asked.target.host)}`, `--port ${asked.target.port}`, `--user ${quoted(asked.target.username)}`];
  words.push(`--mode ${asked.mode}`, `--scope ${asked.scope}`, `--threshold-mb ${asked.threshold_mb}`, `--threshold-percent ${asked.threshold_percent}`);
  for (const database of asked.databases ?? []) words.push(`--database ${quoted(database)}`);
  for (const table of asked.tables ?? []) words.push(`--table ${quoted(table)}`);
  words.push(`--exclude-primary=${asked.exclude_primary}`, `--batch-size ${asked.batch_size}`, `--timeout ${asked.timeout}`);
  words.push(`--max-lag ${asked.max_lag}`, `--parallel ${asked.parallel}`);
  if (asked.shrink_undo) words.push('--shrink-undo');
  return words.join(' \\\n  ');
}
