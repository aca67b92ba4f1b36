import type { Operation } from './operation.js';

export interface Found {
  operation: Operation;
  ids: readonly string[];
  /** Of the route, for whoever counts. */
  name: string;
}

/** Finds the operation of a call in a table of routes. */
export class Router {
  private readonly patterns;

  constructor(routes: Readonly<Record<string, Operation>>) {
    this.patterns = Object.entries(routes).map(([name, operation]) => {
      const [method = '', path = ''] = name.split(' ');
      return { name, method, operation, pattern: new RegExp(`^${path.replaceAll(':id', '([^/]+)')}$`) };
    });
  }

  find(method: string, path: string): Found | 'no path' | 'no method' {
    const there = this.patterns.filter(({ pattern }) => pattern.test(path));
    const route = there.find((each) => each.method === method);
    if (!route) return there.length > 0 ? 'no method' : 'no path';
    const ids = (route.pattern.exec(path) ?? []).slice(1).map(decodeURIComponent);
    return { operation: route.operation, ids, name: route.name };
  }
}
