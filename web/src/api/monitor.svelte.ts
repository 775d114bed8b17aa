// Live job updates: one WebSocket for the whole page, back-off when it is lost, polling while it is away.
import { pause } from './backoff';
import { api } from './client';
import { asFailure } from './failure';
import type { JobUpdate } from './shapes';
import { token } from './token.svelte';

type Listener = (update: JobUpdate) => void;
export type Link = 'connecting' | 'live' | 'polling';

const POLL = 2_000;
/** How often a live connection is doubted: over a path that went silent a browser hears no end. */
const DOUBT = 15_000;
/** How long a connection may take to open. */
const OPENING = 10_000;

class Monitor {
  link = $state<Link>('connecting');
  /** Jobs seen running; the badge beside the word Jobs. */
  active = $state(0);
  private socket: WebSocket | null = null;
  private attempt = 0;
  /** Until it opens, or is tried again. */
  private timer = 0;
  /** Polls while the connection is away, doubts it while it is there. */
  private beat = 0;
  /** Counts under way. */
  private counting = 0;
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
    this.timer = window.setTimeout(() => this.lost(socket), OPENING);
    void this.count();
  }

  /** Ends the connection and every attempt at a new one. */
  stop(): void {
    this.leave();
    window.clearInterval(this.beat);
    this.link = 'connecting';
  }

  private leave(): void {
    window.clearTimeout(this.timer);
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
    window.clearTimeout(this.timer);
    window.clearInterval(this.beat);
    this.beat = window.setInterval(() => void this.doubt(socket), DOUBT);
    this.resync();
  }

  private async doubt(socket: WebSocket): Promise<void> {
    if (!(await this.count())) this.lost(socket);
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
    this.leave();
    this.link = 'polling';
    window.clearInterval(this.beat);
    this.beat = window.setInterval(() => this.resync(), POLL);
    this.timer = window.setTimeout(() => this.start(), pause(this.attempt++));
  }

  private resync(): void {
    for (const again of this.resyncs) again();
    if (this.counting === 0) void this.count();
  }

  /** Counts what runs; false if nobody answered. The parts that show jobs report an error; a badge need not. */
  private async count(): Promise<boolean> {
    this.counting += 1;
    try {
      this.active = (await api.jobs('running', 1, 0)).total;
      return true;
    } catch (error) {
      return asFailure(error).status !== 0;
    } finally {
      this.counting -= 1;
    }
  }
}

export const monitor = new Monitor();
