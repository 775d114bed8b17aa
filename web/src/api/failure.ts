// An error as the server words it, or as the network leaves it.

export type Details = Record<string, unknown>;

/** `code` 0 means that no answer came at all. */
export class ApiFailure extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly details: Details,
    readonly status: number,
  ) {
    super(message);
  }

  private text(key: string): string {
    const value = this.details[key];
    return typeof value === 'string' ? value : '';
  }

  get what(): string {
    return this.text('error') || this.message;
  }

  get next(): string {
    return this.text('next');
  }

  /** What it happened to: every further fact, as text. */
  get facts(): [string, string][] {
    const rest = Object.entries(this.details).filter(([key]) => key !== 'error' && key !== 'next');
    return rest.map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]);
  }
}

export function asFailure(error: unknown): ApiFailure {
  if (error instanceof ApiFailure) return error;
  return new ApiFailure(0, error instanceof Error ? error.message : String(error), {}, 0);
}
