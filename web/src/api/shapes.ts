// The wire's shapes, as crates/api writes them; tests/shapes.mjs holds these names against docs/openapi.json.

export type Role = 'primary' | 'replica' | 'intermediate' | 'group-primary' | 'group-secondary' | 'galera' | 'binlog-client' | 'unknown';
export type WorkMode = 'binlog-off' | 'binlog-on';
export type Scope = 'auto' | 'node' | 'fleet';
export type JobStatus = 'pending' | 'running' | 'completed' | 'failed' | 'cancelled';
export type TableState = 'planned' | 'running' | 'done' | 'skipped' | 'failed' | 'cancelled';

export interface Address { host: string; port: number }
export interface ClusterInfo { name: string; host: string; port: number; username: string; has_password: boolean; origin: string }
export interface ConnectRequest { name: string; host: string; port: number; username: string; password: string }
export interface SessionInfo { actor: string; role: string; token_required: boolean }
export interface Health { version: string; uptime: string; active_jobs: number; system_load: number }

export type Reach = { state: 'reached' } | { state: 'unreachable'; error: string } | { state: 'beyond_depth' } | { state: 'not_a_server' };
export interface GraphNode {
  id: string; address: Address; server_id: number; role: Role; writer: boolean; writer_reasons: string[];
  read_only: boolean; super_read_only: boolean | null; flavor: string; version: string;
  lag_seconds: number | null; reach: Reach; depth: number;
}
export interface Evidence { statement: string; told_by: string; seen_at: string; age_seconds: number }
export interface Edge {
  source: string; target: string; kind: 'binlog' | 'group' | 'galera'; channel: string;
  healthy: boolean | null; last_error: string; evidence: Evidence[];
}
export interface ClusterTopology {
  cluster_id: string; cluster_name: string; discover_time: string;
  nodes: GraphNode[]; edges: Edge[]; warnings: string[];
}

export interface Estimate {
  file_bytes: number; predicted_freed_bytes: number; predicted_low_bytes: number; predicted_high_bytes: number;
  data_free_bytes: number; method: 'sql' | 'pages' | 'none';
}
export interface TableSpace extends Estimate { node: string; database: string; table: string; engine: string }
export interface CensusItem { kind: string; name: string; bytes: number; reclaimable_bytes: number; advice: string }
export interface DiskCensus { node: string; items: CensusItem[]; table_bytes: number; disk_free_bytes?: number; disk_total_bytes?: number }

export type Strategy = { kind: 'in_place' } | { kind: 'copy'; stop_applier: boolean } | { kind: 'partitions'; names: string[] } | { kind: 'undo'; names: string[] } | { kind: 'skip'; reason: string };
export interface Gate { name: string; verdict: 'pass' | 'wait' | 'refuse'; reason?: string }
export interface TablePlan extends Estimate {
  node: string; database: string; table: string; engine: string; strategy: Strategy; statements: string[];
  lock: 'none' | 'shared' | 'exclusive'; data_bytes_needed: number; tmp_bytes_needed: number;
  gain_per_byte: number; predicted_seconds: number; gates: Gate[];
}
export interface Batch { number: number; tables: TablePlan[] }
export interface NodePlan { node: string; id: string; role: Role; skipped?: string; gates: Gate[]; batches: Batch[]; left: TablePlan[] }
export interface RecycleConfig {
  target: { host: string; port: number; username: string }; mode: WorkMode; threshold_mb: number; threshold_percent: number;
  exclude_primary: boolean; databases?: string[]; tables?: string[]; batch_size: number; timeout: string;
  scope: Scope; parallel: number; max_lag: number; shrink_undo?: boolean;
}
export interface Plan {
  created_at: string; cluster_id: string; config: RecycleConfig; mode: WorkMode; nodes: NodePlan[];
  file_bytes: number; predicted_freed_bytes: number; predicted_seconds: number; warnings: string[]; digest: string;
}

export interface JobConfig {
  mode?: WorkMode; threshold_mb?: number; threshold_percent?: number; exclude_primary?: boolean; databases?: string[];
  tables?: string[]; batch_size?: number; timeout?: string; scope?: Scope; parallel?: number; max_lag?: number; shrink_undo?: boolean; dry_run?: boolean;
}
export interface ClusterJobRequest { config: JobConfig; host?: string; port?: number; plan_digest?: string }
export interface JobCreated { job_id: string; status: JobStatus; created_at: string }
export interface JobProgress {
  total_tables: number; processed_tables: number; failed_tables: number; percentage: number; current_table?: string; phase?: string;
}
export interface TableResult extends Estimate {
  node: string; database: string; table: string; partitions?: string[]; state: TableState;
  file_bytes_after?: number; freed_bytes?: number; seconds?: number; reason?: string;
  tablespaces?: number[]; regrown_bytes?: number; regrown_at?: string; regrown_note?: string;
}
export interface JobStatistics {
  space_freed_mb: number; space_freed_bytes: number; space_regrown_bytes?: number; time_elapsed: string; estimated_remaining: string; tables_processed: TableResult[];
}
export interface Approval { asked_by: string; approved_by?: string; approved_at?: string }
export interface ApproveRequest { plan_digest?: string }
export interface RecycleJob {
  job_id: string; status: JobStatus; config: RecycleConfig; progress: JobProgress; statistics: JobStatistics;
  created_at: string; started_at?: string; completed_at?: string; error?: string; error_code: number; approval?: Approval; cluster?: string; notes?: string[];
}
export interface JobSummary { job_id: string; status: JobStatus; created_at: string; progress: number }
export interface JobList { total: number; jobs: JobSummary[] }
export interface JobUpdate {
  type: 'job_update'; job_id: string; status: JobStatus; progress: number; timestamp: string;
  current_table?: string; phase?: string; space_freed_bytes: number;
}
export interface AuditEntry { at: string; actor: string; action: string; subject: string; outcome: string }
export interface MetricPoint { name: string; subject: string; at: string; value: number }

/** True once nothing more will happen to a job. */
export const isFinal = (status: JobStatus): boolean => status === 'completed' || status === 'failed' || status === 'cancelled';
