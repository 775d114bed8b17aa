// Addresses of the page: which part an address means, and moving between them without loading anew.

export type Route =
  | { part: 'fleets' }
  | { part: 'connect' }
  | { part: 'graph' | 'space' | 'census' | 'plan'; fleet: string }
  | { part: 'jobs' }
  | { part: 'job' | 'jobPlan'; id: string }
  | { part: 'history' }
  | { part: 'audit' }
  | { part: 'nowhere' };

export const to = {
  fleets: '/',
  connect: '/connect',
  jobs: '/jobs',
  history: '/history',
  audit: '/audit',
  graph: (fleet: string) => `/fleet/${encodeURIComponent(fleet)}`,
  space: (fleet: string) => `/fleet/${encodeURIComponent(fleet)}/space`,
  census: (fleet: string) => `/fleet/${encodeURIComponent(fleet)}/census`,
  plan: (fleet: string) => `/fleet/${encodeURIComponent(fleet)}/plan`,
  job: (id: string) => `/jobs/${encodeURIComponent(id)}`,
  jobPlan: (id: string) => `/jobs/${encodeURIComponent(id)}/plan`,
};

function readable(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function fleetPart(fleet: string, rest: string[]): Route {
  if (rest.length === 0) return { part: 'graph', fleet };
  const [part] = rest;
  if (rest.length === 1 && (part === 'space' || part === 'census' || part === 'plan')) return { part, fleet };
  return { part: 'nowhere' };
}

function jobPart(rest: string[]): Route {
  const [id, part] = rest;
  if (id === undefined) return { part: 'jobs' };
  if (rest.length === 1) return { part: 'job', id };
  return rest.length === 2 && part === 'plan' ? { part: 'jobPlan', id } : { part: 'nowhere' };
}

/** What a path means. */
export function parse(path: string): Route {
  const [first, ...rest] = path.split('/').filter(Boolean).map(readable);
  if (first === undefined) return { part: 'fleets' };
  if (first === 'fleet' && rest[0] !== undefined) return fleetPart(rest[0], rest.slice(1));
  if (first === 'jobs') return jobPart(rest);
  const alone = rest.length === 0 && (first === 'connect' || first === 'audit' || first === 'history');
  return alone ? { part: first } : { part: 'nowhere' };
}

class Place {
  path = $state(location.pathname);
  query = $state.raw(new URLSearchParams(location.search));
  route = $derived(parse(this.path));

  private read(): void {
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  }

  go(address: string): void {
    if (address === location.pathname + location.search) return;
    history.pushState(null, '', address);
    this.read();
    window.scrollTo(0, 0);
  }

  /** Writes a detail of the part shown (an open panel, a filter) into the address; empty takes it out. */
  note(details: Record<string, string>): void {
    const query = new URLSearchParams(location.search);
    for (const [key, value] of Object.entries(details)) {
      if (value) query.set(key, value);
      else query.delete(key);
    }
    const text = query.toString();
    history.replaceState(null, '', location.pathname + (text ? `?${text}` : ''));
    this.read();
  }

  /** Follows links inside the page; leaves new tabs, other hosts and the server's own pages to the browser. */
  follow(event: MouseEvent): void {
    const link = (event.target as Element).closest?.('a');
    if (!link || event.defaultPrevented || event.button !== 0 || link.target) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const there = new URL(link.href, location.href);
    if (there.origin !== location.origin || parse(there.pathname).part === 'nowhere' || link.dataset['outside'] !== undefined) return;
    event.preventDefault();
    this.go(there.pathname + there.search);
  }

  watch(): () => void {
    const back = () => this.read();
    const click = (event: MouseEvent) => this.follow(event);
    window.addEventListener('popstate', back);
    document.addEventListener('click', click);
    return () => {
      window.removeEventListener('popstate', back);
      document.removeEventListener('click', click);
    };
  }
}

export const place = new Place();
