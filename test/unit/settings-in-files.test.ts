import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';

import { panelEnv } from '#panel/env.js';
import { parseEnv } from '#platform/env.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'panel-settings-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('a setting may be in a file, whose last line end is not a part of it', () => {
  const shape = { TOKEN: z.string(), OTHER: z.string().optional() };
  expect(parseEnv(shape, { TOKEN_FILE: file('token', 'of two\nlines\n'), OTHER_FILE: '' })).toEqual({
    TOKEN: 'of two\nlines',
  });
});

test('a file that is not there, and a setting that is told twice, are named with everything else that is wrong', () => {
  const shape = { KEY: z.string(), PORT: z.coerce.number(), NAME: z.string(), ABSENT: z.string() };
  const missing = join(folder, 'missing');
  const source = { KEY_FILE: missing, PORT: 'many', NAME: 'a', NAME_FILE: file('name', 'b') };
  expect(() => parseEnv(shape, source)).toThrow(
    expect.objectContaining({
      problems: [
        `KEY_FILE: ${missing} cannot be read (ENOENT)`,
        'NAME and NAME_FILE: only one of them may be set',
        expect.stringMatching(/^PORT: /),
        'ABSENT is required',
      ],
    }) as Error,
  );
});

test('an empty file counts as absent', () => {
  expect(parseEnv({ TOKEN: z.string().optional() }, { TOKEN_FILE: file('empty', '\n') })).toEqual({});
});

test("a database of one's own in a file asks for the shared key, as one in a variable does", () => {
  const url = file('url', 'postgresql://panel_app@db/panel\n');
  expect(() => panelEnv({ DATABASE_URL_FILE: url })).toThrow('SECRETS_KEY is required');
  const key = file('key', Buffer.alloc(32, 1).toString('base64'));
  expect(panelEnv({ DATABASE_URL_FILE: url, SECRETS_KEY_FILE: key }).DATABASE_URL).toBe(
    'postgresql://panel_app@db/panel',
  );
});
