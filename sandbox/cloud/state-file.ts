import { open, readFile, rename } from 'node:fs/promises';

import type { Contents } from './kept.js';
import type { World } from './world.js';

/** Keeps everything in one JSON file, so that a restart goes on where it was. Writing replaces the file as a whole. */
export class StateFile {
  private savedVersion = -1;
  private writing: Promise<void> | undefined;

  constructor(
    private readonly path: string,
    private readonly world: World,
  ) {}

  async load(): Promise<void> {
    let text;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    const contents = JSON.parse(text) as Contents;
    if (contents.format !== 1)
      throw new Error(`${this.path} is of another version of this stand-in; remove it to begin anew`);
    this.world.contents = contents;
    this.savedVersion = this.world.version;
  }

  /** Resolves when all that is known by now is on disk. Calls that come together share one write. */
  async saved(): Promise<void> {
    while (this.savedVersion < this.world.version) {
      this.writing ??= this.write().finally(() => {
        this.writing = undefined;
      });
      await this.writing;
    }
  }

  private async write(): Promise<void> {
    const { version } = this.world;
    const file = await open(`${this.path}.new`, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(this.world.contents));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${this.path}.new`, this.path);
    this.savedVersion = version;
  }
}
