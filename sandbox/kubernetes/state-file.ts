import { open, readFile, rename } from 'node:fs/promises';

import type { User } from './access.js';
import type { Token } from './http/callers.js';
import type { Signed } from './tls/certificates.js';
import type { Contents } from './world/store.js';

/** All that a restart goes on with. */
export interface State {
  contents: Contents;
  authority: Signed;
  users: Record<string, User>;
  tokens: Record<string, Token>;
}

/** Keeps everything in one JSON file. Writing replaces the file as a whole; changes that come together share one write. */
export class StateFile {
  private writing: Promise<void> | undefined;
  private isStale = false;

  constructor(
    private readonly path: string,
    private readonly state: () => State,
  ) {}

  static async read(path: string): Promise<State | undefined> {
    let text;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const state = JSON.parse(text) as State;
    if (state.contents.format !== 1)
      throw new Error(`${path} is of another version of this stand-in; remove it to begin anew`);
    return state;
  }

  changed(): void {
    this.isStale = true;
    this.writing ??= this.write().finally(() => (this.writing = undefined));
    this.writing.catch(() => undefined);
  }

  /** Resolves when all that is known by now is on disk. */
  async saved(): Promise<void> {
    while (this.writing) await this.writing;
  }

  private async write(): Promise<void> {
    while (this.isStale) {
      this.isStale = false;
      const file = await open(`${this.path}.new`, 'w', 0o600);
      try {
        await file.writeFile(JSON.stringify(this.state()));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${this.path}.new`, this.path);
    }
  }
}
