import { hosts, mostAtHosts, type Host } from './kinds.js';

/** The looks of this process, by what is known of the hosts that they are at. */
export class LookRoom {
  private readonly under = new Map<Host, number>(hosts.map((host) => [host, 0]));

  /** A place for one look, which it takes once it knows its host, and leaves in any case. */
  place(): LookPlace {
    let taken: Host | undefined;
    return {
      take: (host) => {
        if (taken !== undefined) return true;
        if (!this.hasRoom(host)) return false;
        taken = host;
        this.add(host, 1);
        return true;
      },
      leave: () => {
        if (taken !== undefined) this.add(taken, -1);
        taken = undefined;
      },
    };
  }

  /** Whoever is to get less room counts for the others too. */
  private hasRoom(host: Host): boolean {
    const upTo = hosts.slice(0, hosts.indexOf(host) + 1);
    return upTo.reduce((sum, each) => sum + this.under.get(each)!, 0) < mostAtHosts[host];
  }

  private add(host: Host, difference: number): void {
    this.under.set(host, this.under.get(host)! + difference);
  }
}

export interface LookPlace {
  /** False where there is no room for a look at such a host. */
  take(host: Host): boolean;
  leave(): void;
}
