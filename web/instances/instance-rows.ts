import type { InstanceRowFragment } from '../generated/graphql.ts';
import { Store } from '../parts/store.ts';

export type Row = InstanceRowFragment;

export interface Rows {
  /** In the order in which they enrolled. */
  all: readonly Row[];
  /** How many there are to come in all; known with the first page. */
  total: number | undefined;
  isComplete: boolean;
}

/** What a row remembers of its readings, for its small chart. */
const remembered = 30;

/**
 * The instances of the list, outside of React: thousands of rows take a hundred events a second, and are shown once a
 * frame.
 */
export class InstanceRows {
  readonly shown = new Store<Rows>({ all: [], total: undefined, isComplete: false });
  private readonly rows = new Map<string, Row>();
  /** Told of while the pages were still on their way, so newer than what those say. */
  private readonly changed = new Set<string>();
  private readonly readings = new Map<string, number[]>();
  private total: number | undefined;
  private isComplete = false;
  private frame: number | undefined;

  addPage(rows: readonly Row[], { total, isLast }: { total: number; isLast: boolean }): void {
    for (const row of rows) if (!this.changed.has(row.id)) this.rows.set(row.id, row);
    this.total = total;
    this.isComplete = isLast;
    if (isLast) this.changed.clear();
    this.showSoon();
  }

  change(row: Row): void {
    if (!this.isComplete) this.changed.add(row.id);
    this.rows.set(row.id, row);
    this.showSoon();
  }

  reading(id: string, cpuPercent: number | null, memoryPercent: number | null, at: string): void {
    const row = this.rows.get(id);
    if (!row) return;
    const readings = this.readings.get(id) ?? [];
    if (cpuPercent !== null) this.readings.set(id, [...readings.slice(1 - remembered), cpuPercent]);
    this.rows.set(id, { ...row, cpuPercent, memoryPercent, lastSeen: at });
    this.showSoon();
  }

  readingsOf(id: string): readonly number[] {
    return this.readings.get(id) ?? [];
  }

  /** Forgets all, to be read anew. */
  clear(): void {
    this.rows.clear();
    this.changed.clear();
    this.isComplete = false;
  }

  private showSoon(): void {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.shown.set({ all: [...this.rows.values()], total: this.total, isComplete: this.isComplete });
    });
  }
}
