// The one room that speaks HTTP: the seed's envelope is opened here and nowhere else.
import { ApiFailure, type Details } from './failure';
import { session } from './session.svelte';
import type * as shape from './shapes';
import { token } from './token.svelte';
import { within } from './within';

/** Longest wait for what the server answers from its own store; what asks a fleet may take minutes. */
const PATIENCE = 10_000;

interface Envelope { code: number; message: string; data?: unknown; details?: Details }

async function answer(response: Response): Promise<Envelope> {
  try {
    return (await response.json()) as Envelope;
  } catch {
    return { code: response.ok ? 0 : -1, message: `${response.status} ${response.statusText}` };
  }
}

/**
 * A refusal of a caller without any role means the token; with a role, it means that the role is too low, which the part
 * shows itself. A late answer to a token that was replaced since means nothing.
 */
function askForToken(used: string, status: number, code: number): void {
  if (used !== token.value) return;
  const nobody = session.info?.token_required === true && !session.info.role;
  if (status === 401 || (code === 1008 && nobody)) token.wanted = true;
}

async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  const used = token.value;
  if (used) headers['Authorization'] = `Bearer ${used}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const init: RequestInit = { method, headers };
  if (body !== undefined) init.body = JSON.stringify(body);
  if (signal) init.signal = signal;
  const response = await fetch(`/api/v1/${path}`, init);
  const envelope = await answer(response);
  if (response.ok && envelope.code === 0) return envelope.data as T;
  askForToken(used, response.status, envelope.code);
  throw new ApiFailure(envelope.code, envelope.message, envelope.details ?? {}, response.status);
}

const get = <T>(path: string, signal?: AbortSignal) => call<T>('GET', path, undefined, signal);
const soon = <T>(path: string, signal?: AbortSignal) => within(PATIENCE, signal, (bounded) => get<T>(path, bounded));
const cluster = (name: string) => `clusters/${encodeURIComponent(name)}`;
const job = (id: string) => `recycle/jobs/${encodeURIComponent(id)}`;

export const api = {
  health: (signal?: AbortSignal) => soon<shape.Health>('health', signal),
  session: () => soon<shape.SessionInfo>('session'),
  clusters: (signal?: AbortSignal) => soon<shape.ClusterInfo[]>('clusters', signal),
  connect: (request: shape.ConnectRequest) => call<shape.ClusterInfo>('POST', 'clusters', request),
  topology: (name: string, refresh: boolean, signal?: AbortSignal) =>
    get<shape.ClusterTopology>(`${cluster(name)}/topology${refresh ? '?refresh=true' : ''}`, signal),
  space: (name: string, signal?: AbortSignal) => get<shape.TableSpace[]>(`${cluster(name)}/space`, signal),
  census: (name: string, signal?: AbortSignal) => get<shape.DiskCensus[]>(`${cluster(name)}/census`, signal),
  plan: (name: string, request: shape.ClusterJobRequest) => call<shape.Plan>('POST', `${cluster(name)}/plan`, request),
  start: (name: string, request: shape.ClusterJobRequest) => call<shape.JobCreated>('POST', `${cluster(name)}/jobs`, request),
  jobs: (status: string, limit: number, offset: number, signal?: AbortSignal) =>
    soon<shape.JobList>(`recycle/jobs?limit=${limit}&offset=${offset}${status ? `&status=${status}` : ''}`, signal),
  job: (id: string, signal?: AbortSignal) => soon<shape.RecycleJob>(job(id), signal),
  jobPlan: (id: string, signal?: AbortSignal) => soon<shape.Plan>(`${job(id)}/plan`, signal),
  cancel: (id: string) => call<undefined>('DELETE', job(id)),
  approve: (id: string, request: shape.ApproveRequest) => call<shape.RecycleJob>('POST', `${job(id)}/approve`, request),
  audit: (limit: number, offset: number, signal?: AbortSignal) =>
    soon<shape.AuditEntry[]>(`audit?limit=${limit}&offset=${offset}`, signal),
  history: (since: string, signal?: AbortSignal) =>
    soon<shape.MetricPoint[]>(`metrics/history?since=${encodeURIComponent(since)}`, signal),
};
