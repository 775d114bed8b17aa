// The API token: asked for when the server wants one, kept for this browser tab only.

const KEY = 'drydock.token';

class Token {
  value = $state(sessionStorage.getItem(KEY) ?? '');
  /** Set when an answer said that a token, or a better one, is wanted. */
  wanted = $state(false);

  keep(value: string): void {
    this.value = value;
    this.wanted = false;
    if (value) sessionStorage.setItem(KEY, value);
    else sessionStorage.removeItem(KEY);
  }
}

export const token = new Token();
