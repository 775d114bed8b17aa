// One thing asked of the server: what came, what failed, whether it is under way. A newer ask outruns an older one.
import { ApiFailure, asFailure } from './failure';

export class Load<T> {
  data = $state.raw<T | null>(null);
  failure = $state.raw<ApiFailure | null>(null);
  busy = $state(false);
  private under: AbortController | null = null;

  async run(ask: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
    this.under?.abort();
    const mine = new AbortController();
    this.under = mine;
    this.busy = true;
    try {
      const data = await ask(mine.signal);
      if (this.under === mine) this.settle(data, null);
      return data;
    } catch (error) {
      if (this.under === mine) this.settle(this.data, asFailure(error));
      return null;
    } finally {
      if (this.under === mine) this.busy = false;
    }
  }

  private settle(data: T | null, failure: ApiFailure | null): void {
    this.data = data;
    this.failure = failure;
  }

  clear(): void {
    this.stop();
    this.settle(null, null);
  }

  stop(): void {
    this.under?.abort();
    this.under = null;
    this.busy = false;
  }
}
