// One thing asked of the server: what came, what failed, whether it is under way. A newer ask outruns an older one.
import { ApiFailure, asFailure } from './failure';
import { monitor } from './monitor.svelte';

type Ask<T> = (signal: AbortSignal) => Promise<T>;

/** What nobody answered, and how to ask it again: done by itself once the server may be back. */
const unanswered = new Map<object, () => void>();
monitor.onResync(() => { for (const again of unanswered.values()) again(); });

export class Load<T> {
  data = $state.raw<T | null>(null);
  failure = $state.raw<ApiFailure | null>(null);
  busy = $state(false);
  private under: AbortController | null = null;

  async run(ask: Ask<T>): Promise<T | null> {
    this.under?.abort();
    const mine = new AbortController();
    this.under = mine;
    this.busy = true;
    try {
      const data = await ask(mine.signal);
      if (this.under === mine) this.settle(data, null);
      return data;
    } catch (error) {
      if (this.under === mine) this.fail(ask, asFailure(error));
      return null;
    } finally {
      if (this.under === mine) this.busy = false;
    }
  }

  /** The same, unless an answer is awaited: for what repeats by itself, lest a slow server never come to its end. */
  renew(ask: Ask<T>): void {
    if (!this.busy) void this.run(ask);
  }

  private fail(ask: Ask<T>, failure: ApiFailure): void {
    this.settle(this.data, failure);
    if (failure.status === 0) unanswered.set(this, () => this.renew(ask));
  }

  private settle(data: T | null, failure: ApiFailure | null): void {
    this.data = data;
    this.failure = failure;
    unanswered.delete(this);
  }

  clear(): void {
    this.stop();
    this.settle(null, null);
  }

  stop(): void {
    this.under?.abort();
    this.under = null;
    this.busy = false;
    unanswered.delete(this);
  }
}
