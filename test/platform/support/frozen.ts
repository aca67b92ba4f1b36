import { readFileSync } from 'node:fs';

/** A PostgreSQL with all its processes, as a suspended machine leaves it: connections are taken and nothing answers. */
export class Freezable {
  constructor(private readonly postmaster: number) {}

  freeze(): void {
    // The postmaster first, so that no process is made meanwhile.
    for (const pid of this.processes()) process.kill(pid, 'SIGSTOP');
  }

  thaw(): void {
    for (const pid of this.processes()) process.kill(pid, 'SIGCONT');
  }

  private processes(): number[] {
    const { postmaster } = this;
    const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8');
    return [postmaster, ...children.split(' ').filter(Boolean).map(Number)];
  }
}
