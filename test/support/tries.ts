import type { Reporter, TestCase } from 'vitest/node';

/** Says why tests that passed in the end had to be tried again: what fails at times is a fault of somebody too. */
export class Tries implements Reporter {
  private readonly told: string[] = [];

  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result();
    if (state !== 'passed' || !errors) return;
    for (const { message, stack } of errors) {
      const [place] = /\btest\/\S+\.test\.ts:\d+/.exec(stack ?? '') ?? ['somewhere'];
      this.told.push(`${test.fullName}\n  at ${place}: ${message.replaceAll('\n', '\n    ')}`);
    }
  }

  onTestRunEnd(): void {
    if (this.told.length === 0) return;
    process.stdout.write(`\nTried again, since they failed before they passed:\n${this.told.join('\n')}\n`);
  }
}
