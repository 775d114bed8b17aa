// Who the server takes this page for; filled once at the start and after each new token.
import type { SessionInfo } from './shapes';

class Session {
  info = $state<SessionInfo | null>(null);

  /** Whether the page should offer what needs this role; the server decides in the end. */
  may(role: 'viewer' | 'operator' | 'admin'): boolean {
    const order = ['viewer', 'operator', 'admin'];
    return this.info === null || order.indexOf(this.info.role) >= order.indexOf(role);
  }
}

export const session = new Session();
