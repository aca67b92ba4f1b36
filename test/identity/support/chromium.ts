import { existsSync } from 'node:fs';

import { chromium, type Browser } from 'playwright-core';

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

/** Whether there is a real browser on this machine; tests that need one are skipped where there is none. */
export const isChromiumThere = existsSync(executablePath);

// Where everything is set up on purpose, a test that cannot run has failed.
if (!isChromiumThere && process.env['CI']) throw new Error(`${executablePath} is missing; set CHROMIUM_PATH`);
if (!isChromiumThere) {
  process.stderr.write(
    `${executablePath} is missing (Debian: apt-get install chromium); browser tests skipped\n`,
  );
}

export async function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
}
