// Live job updates: one WebSocket for the whole page, back-off when it is lost, polling while it is away.
import { pause } from './backoff';
import { api } from './client';
import type { JobUpdate } from './shapes';
import { token } from './token.svelte';

type Listener = (update: JobUpdate) => void;
export type Link = 'connecting' | 'live' | 'polling';

const POLL = 2_000;

class Monitor {
  link = $state<Link>('connecting');
  /** Jobs seen running; the badge beside the word Jobs. */
  active = $state(0);
  private socket: WebSocket | null = null;
  private attempt = 0;
  private retry = 0;
  private poller = 0;
  private listeners = new Set<Listener>();
  private resyncs = new Set<() => void>();

  start(): void {
    this.leave();
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const protocols = token.value ? ['bearer', token.value] : [];
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/ws/monitor`, protocols);
    this.socket = socket;
    socket.onopen = () => this.opened(socket);
    socket.onmessage = (event) => this.heard(String(event.data));
    socket.onclose = () => this.lost(socket);
    void this.count();
  }

  /** Ends the connection and every attempt at a new one. */
  stop(): void {
    this.leave();
    window.clearInterval(this.poller);
    this.link = 'connecting';
  }

  private leave(): void {
    window.clearTimeout(this.retry);
    const old = this.socket;
    this.socket = null;
    old?.close();
  }

  /** Calls back with every update until the returned function is called. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Calls back whenever the state must be read anew: at each poll, and after a reconnect. */
  onResync(again: () => void): () => void {
    this.resyncs.add(again);
    return () => this.resyncs.delete(again);
  }

  private opened(socket: WebSocket): void {
    if (this.socket !== socket) return;
    this.attempt = 0;
    this.link = 'live';
    window.clearInterval(this.poller);
    this.resync();
  }

  private heard(text: string): void {
    let update: JobUpdate;
    try {
      update = JSON.parse(text) as JobUpdate;
    } catch {
      return;
    }
    if (update.type !== 'job_update') return;
    for (const listener of this.listeners) listener(update);
    if (update.status !== 'running' || this.active === 0) void this.count();
  }

  private lost(socket: WebSocket): void {
    if (this.socket !== socket) return;
    this.link = 'polling';
    window.clearInterval(this.poller);
    this.poller = window.setInterval(() => this.resync(), POLL);
    this.retry = window.setTimeout(() => this.start(), pause(this.attempt++));
  }

  private resync(): void {
    for (const again of this.resyncs) again();
    void this.count();
  }

  private async count(): Promise<void> {
    try {
      this.active = (await api.jobs('running', 1, 0)).total;
    } catch {
      // The parts that show jobs report the error; a badge need not.
    }
  }
}

export const monitor = new Monitor();
