import { existsSync } from 'node:fs';

import { chromium, type Browser } from 'playwright-core';

// The shell without windows makes the same pages with a seventh less work; a whole browser will do.
const executablePath =
  [process.env['CHROMIUM_PATH'], '/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find(
    (path) => path !== undefined && existsSync(path),
  ) ?? '';

/** Whether there is a real browser on this machine; tests that need one are skipped where there is none. */
export const isChromiumThere = executablePath !== '';

if (!isChromiumThere) {
  const missing = 'no Chromium (Debian: apt-get install chromium-headless-shell, or set CHROMIUM_PATH)';
  // Where everything is set up on purpose, a test that cannot run has failed.
  if (process.env['CI']) throw new Error(missing);
  process.stderr.write(`${missing}; browser tests skipped\n`);
}

export async function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
}
