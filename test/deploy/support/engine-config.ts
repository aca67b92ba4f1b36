import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { assetPath } from '#platform/package-root.js';

/** The settings that a template of deploy/cluster names. */
export function namesIn(template: string): string[] {
  const text = readFileSync(assetPath('deploy', 'cluster', template), 'utf8');
  return [...new Set([...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name!))];
}

interface Outcome {
  status: number | null;
  words: string;
}

/** What start.sh does with these settings, where `program` is a script that answers in its place. */
export function rendered(program: string, settings: Record<string, string>, script = 'exit 0'): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'panel-engine-'));
  try {
    const stand = join(folder, program);
    writeFileSync(stand, `#!/bin/sh\n${script}\n`);
    chmodSync(stand, 0o755);
    const { status, stdout, stderr } = spawnSync(assetPath('deploy', 'cluster', 'start.sh'), [program], {
      env: {
        PATH: `${folder}:${process.env['PATH']}`,
        RUN_DIR: join(folder, 'run'),
        STATE_DIR: join(folder, 'state'),
        ...settings,
      },
      encoding: 'utf8',
    });
    return { status, words: stdout + stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** haproxy's own check of what start.sh makes for it. */
export function checkHaproxy(settings: Record<string, string>): Outcome {
  return rendered('haproxy', settings, 'exec /usr/sbin/haproxy -c -f "$3"');
}
