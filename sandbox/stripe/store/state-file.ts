import { open, readFile, rename } from 'node:fs/promises';

import type { IdempotencyKeys } from '../http/idempotency.js';
import type { Store, StoreContents } from './store.js';

interface Saved {
  format: 1;
  store: StoreContents;
  keys: Parameters<IdempotencyKeys['load']>[0];
}

/** Keeps everything in one JSON file, so that a restart goes on where it was. Writing replaces the file as a whole. */
export class StateFile {
  private savedVersion = -1;
  private writing: Promise<void> | undefined;

  constructor(
    private readonly path: string,
    private readonly store: Store,
    private readonly keys: IdempotencyKeys,
  ) {}

  /** Reads what an earlier run kept, if there is something. */
  async load(): Promise<void> {
    let text;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    const saved = JSON.parse(text) as Saved;
    if (saved.format !== 1)
      throw new Error(`${this.path} is of another version of this stand-in; remove it to begin anew`);
    this.store.load(saved.store);
    this.keys.load(saved.keys);
    this.savedVersion = this.store.version;
  }

  /** Resolves when all that is in the store by now is on disk. Calls that come together share one write. */
  async saved(): Promise<void> {
    while (this.savedVersion < this.store.version) {
      this.writing ??= this.write().finally(() => {
        this.writing = undefined;
      });
      await this.writing;
    }
  }

  private async write(): Promise<void> {
    const { version } = this.store;
    const saved: Saved = { format: 1, store: this.store.contents(), keys: this.keys.contents() };
    const file = await open(`${this.path}.new`, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(saved));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${this.path}.new`, this.path);
    this.savedVersion = version;
  }
}
