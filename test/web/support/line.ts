import type { BrowserContext, WebSocketRoute } from 'playwright-core';

/** What a browser's pages hear events by, to be cut and joined again. */
export class Line {
  private readonly ends: WebSocketRoute[] = [];
  private whole: Promise<void> = Promise.resolve();
  private mend: () => void = () => undefined;

  /** Of pages that are opened later. */
  static async of(context: BrowserContext): Promise<Line> {
    const line = new Line();
    await context.routeWebSocket(/\/graphql$/, async (page) => {
      await line.whole;
      line.ends.push(page.connectToServer(), page);
    });
    return line;
  }

  async cut(code = 1012): Promise<void> {
    this.whole = new Promise((resolve) => (this.mend = resolve));
    await Promise.all(this.ends.splice(0).map(async (end) => end.close({ code, reason: 'cut' })));
  }

  join(): void {
    this.mend();
  }
}
