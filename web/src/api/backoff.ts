// How long to wait before trying a lost connection again.

const FIRST = 500;
const LONGEST = 30_000;

/** Milliseconds before the `attempt`-th retry (0-based): doubling, with a spread so that pages do not come back in step. */
export function pause(attempt: number, spread: number = Math.random()): number {
  const full = Math.min(LONGEST, FIRST * 2 ** Math.min(attempt, 10));
  return Math.round(full / 2 + (full / 2) * spread);
}
