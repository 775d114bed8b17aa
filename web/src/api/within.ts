// A bound on how long an answer may take: a path that went silent neither answers nor refuses.

/** Asks with a signal that ends when `outer` does, or after `patience` milliseconds without an answer. */
export async function within<T>(patience: number, outer: AbortSignal | undefined, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const inner = new AbortController();
  const stop = () => inner.abort(outer?.reason);
  const late = () => inner.abort(new Error(`no answer for ${patience / 1000} s`));
  outer?.addEventListener('abort', stop);
  const timer = window.setTimeout(late, patience);
  try {
    return await ask(inner.signal);
  } finally {
    window.clearTimeout(timer);
    outer?.removeEventListener('abort', stop);
  }
}
