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
  /** Those that the reading under way has told; undefined while there is none. */
  private told: Set<string> | undefined;
  private frame: number | undefined;

  /** A reading begins. What is there is shown until it is through. */
  begin(): void {
    this.told = new Set();
    this.changed.clear();
  }

  addPage(rows: readonly Row[], { total, isLast }: { total: number; isLast: boolean }): void {
    for (const row of rows) {
      this.told?.add(row.id);
      if (!this.changed.has(row.id)) this.rows.set(row.id, row);
    }
    this.total = total;
    if (isLast) this.end();
    this.showSoon();
  }

  /** What the reading did not tell is gone, unless it came while it was under way. */
  private end(): void {
    for (const id of this.rows.keys()) {
      if (this.told?.has(id) || this.changed.has(id)) continue;
      this.rows.delete(id);
      this.readings.delete(id);
    }
    this.told = undefined;
    this.changed.clear();
    this.isComplete = true;
  }

  /** Whether it has more rows than there are instances: some were removed, and no event names them. */
  isBeyond(total: number): boolean {
    return this.isComplete && this.rows.size > total;
  }

  change(row: Row): void {
    if (this.told) this.changed.add(row.id);
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

  private showSoon(): void {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.shown.set({ all: [...this.rows.values()], total: this.total, isComplete: this.isComplete });
    });
  }
}
