import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setInterval as ticks } from 'node:timers/promises';

import type { SimpleGit } from 'simple-git';

import { headOf } from '#platform/cut-text.js';
import type { TargetGuard } from '#platform/outbound/guard.js';
import { isStorableInstant } from '#platform/subgraph/instant.js';

import { parseAddress, resolvedAddress } from './address.js';
import { confinedGit, type GitSettings } from './confined-git.js';
import type { GitCredential } from './credential.js';
import { GitError, gitErrorOf } from './git-error.js';
import { folderPrefix, Leftovers } from './leftovers.js';

export interface Source {
  url: string;
  branch: string;
  /** The folder below which files are looked for; '' for all of it. */
  path: string;
  credential?: GitCredential | undefined;
}

export interface Commit {
  sha: string;
  author: string;
  authoredAt: Date;
  /** Its first line. */
  subject: string;
}

export interface SourceFile {
  path: string;
  text: string;
}

/** A branch as it is at one commit. */
export interface Snapshot {
  commit: Commit;
  /** The commits since the one that was asked about, newest first, itself included; only the newest when that is not among its ancestors. */
  commits: readonly Commit[];
  /** Whether the commit that was asked about is an ancestor: false after a force-push. */
  isForward: boolean;
  /** YAML files, by path. */
  files: readonly SourceFile[];
}

const lookMs = 20_000;
const fetchMs = 60_000;
/** On disk, of one fetch. */
const mostBytes = 64 * 1024 * 1024;
/** That git may tell in one look, whatever of it is wanted. */
const mostTold = 8 * 1024 * 1024;
const mostFiles = 200;
const mostFileBytes = 128 * 1024;
const mostTextBytes = 2 * 1024 * 1024;
/** So many commits back it is known whether a branch has gone forward. */
const depth = 50;

/** Reads repositories by Debian's or whoever's git, in a folder of its own each time, that is gone afterwards. */
export class Repositories {
  private readonly leftovers = new Leftovers();

  constructor(
    private readonly guard: TargetGuard,
    private readonly settings: GitSettings,
  ) {}

  /** The commit at the end of the branch; nothing is fetched. */
  async tip(source: Source, signal: AbortSignal): Promise<string> {
    return this.inside(source, lookMs, signal, async (git, url) => {
      const ref = `refs/heads/${source.branch}`;
      // Git takes it for the end of a name, and tells of refs/heads/x/refs/heads/main as well.
      const found = (await git.raw(['ls-remote', '--', url, ref]))
        .split('\n')
        .map((line) => line.split('\t'));
      const [sha] = found.find(([, name]) => name === ref) ?? [];
      if (!sha) throw new GitError('BRANCH_NOT_FOUND', `There is no branch ${source.branch}`);
      return sha;
    });
  }

  /** The branch with its YAML files. `since` is the commit that was in force before. */
  async read(source: Source, since: string | null, signal: AbortSignal): Promise<Snapshot> {
    return this.inside(source, fetchMs, signal, async (git, url) => {
      await git.raw([
        'fetch',
        '--quiet',
        `--depth=${depth}`,
        '--no-tags',
        '--no-recurse-submodules',
        '--no-write-fetch-head',
        '--',
        url,
        `+refs/heads/${source.branch}:refs/panel/tip`,
      ]);
      const isForward = since === null || (await isAncestor(git, since));
      const commits = await log(git, isForward && since !== null ? since : undefined);
      const [commit] = commits.length > 0 ? commits : await log(git, undefined);
      if (!commit) throw new GitError('UNREADABLE', 'The branch has no commit');
      return { commit, commits, isForward, files: await filesOf(git, source.path) };
    });
  }

  private async inside<T>(
    { url: text, credential }: Source,
    withinMs: number,
    signal: AbortSignal,
    work: (git: SimpleGit, url: string) => Promise<T>,
  ): Promise<T> {
    await this.leftovers.remove();
    const folder = await mkdtemp(join(tmpdir(), folderPrefix));
    const ended = new AbortController();
    const deadline = AbortSignal.timeout(withinMs);
    const tooLarge = new AbortController();
    try {
      const address = parseAddress(this.guard, text);
      const addresses = await resolvedAddress(this.guard, address);
      const stop = AbortSignal.any([signal, deadline, tooLarge.signal]);
      const git = await confinedGit({
        folder,
        address,
        addresses,
        credential,
        settings: this.settings,
        signal: stop,
      });
      let told = 0;
      git.outputHandler((_command, stdout, stderr) => {
        for (const stream of [stdout, stderr])
          stream.on('data', (chunk: Buffer) => {
            told += chunk.length;
            if (told > mostTold) tooLarge.abort();
          });
      });
      await git.raw(['init', '--bare', '--quiet', '.']);
      void watchSize(folder, ended.signal, () => tooLarge.abort());
      return await work(git, address.url);
    } catch (error) {
      if (tooLarge.signal.aborted)
        throw new GitError(
          'TOO_LARGE',
          `The repository is larger than ${mostBytes / 1024 / 1024} MB, or has too many files`,
        );
      if (deadline.aborted)
        throw new GitError('TIMEOUT', `The repository was not read within ${withinMs / 1000} s`);
      if (signal.aborted) throw signal.reason;
      throw gitErrorOf(error);
    } finally {
      ended.abort();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  }
}

async function isAncestor(git: SimpleGit, sha: string): Promise<boolean> {
  try {
    await git.raw(['merge-base', '--is-ancestor', sha, 'refs/panel/tip']);
    return true;
  } catch {
    // Not one, or not among what was fetched.
    return false;
  }
}

const field = '\x1f';

async function log(git: SimpleGit, since: string | undefined): Promise<Commit[]> {
  const text = await git.raw([
    'log',
    since === undefined ? '--max-count=1' : `--max-count=${depth}`,
    '--no-show-signature',
    `--format=%H%x1f%an%x1f%aI%x1f%s`,
    since === undefined ? 'refs/panel/tip' : `${since}..refs/panel/tip`,
    '--',
  ]);
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [sha = '', author = '', at = '', subject = ''] = line.split(field);
      return { sha, author: short(author), authoredAt: dateOf(at), subject: short(subject) };
    });
}

const short = (text: string) => headOf(text, 200);

/** Whoever writes a commit says when; years of five digits are none that others can read. */
function dateOf(text: string): Date {
  const date = new Date(text);
  return isStorableInstant(date) ? date : new Date(0);
}

/** Plain files only: what a link points to, and what a submodule holds, is not of the repository. */
async function filesOf(git: SimpleGit, folder: string): Promise<SourceFile[]> {
  const listed = await git.raw([
    'ls-tree',
    '-r',
    '-l',
    '-z',
    '--full-tree',
    'refs/panel/tip',
    ...(folder === '' ? [] : ['--', folder]),
  ]);
  const files = listed.split('\0').flatMap((line) => {
    const [, id = '', bytes = '', path = ''] =
      /^100(?:644|755) blob ([0-9a-f]+) +(\d+)\t(.+)$/s.exec(line) ?? [];
    return /\.ya?ml$/i.test(path) ? [{ id, bytes: Number(bytes), path }] : [];
  });
  if (files.length > mostFiles)
    throw new GitError('TOO_LARGE', `There are ${files.length} YAML files; at most ${mostFiles} are read`);
  const large = files.find(({ bytes }) => bytes > mostFileBytes);
  if (large) throw new GitError('TOO_LARGE', `${large.path} is larger than ${mostFileBytes / 1024} kB`);
  if (files.reduce((sum, { bytes }) => sum + bytes, 0) > mostTextBytes)
    throw new GitError(
      'TOO_LARGE',
      `The YAML files have more than ${mostTextBytes / 1024 / 1024} MB together`,
    );
  const read: SourceFile[] = [];
  for (const { id, path } of files) read.push({ path, text: await git.raw(['cat-file', 'blob', id]) });
  return read;
}

/** Looks again and again while git writes: nothing of git's own bounds what a server sends. */
async function watchSize(folder: string, ended: AbortSignal, tooLarge: () => void): Promise<void> {
  try {
    for await (const _ of ticks(200, undefined, { signal: ended })) {
      // Files come and go while it is looked at.
      const size = await sizeOf(folder).catch(() => 0);
      if (size > mostBytes) tooLarge();
    }
  } catch (error) {
    if (!ended.aborted) throw error;
  }
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) =>
        stat(join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
