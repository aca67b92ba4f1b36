import type { BrowserContext, WebSocketRoute } from 'playwright-core';

/** What a browser's pages hear events by, to be cut and joined again. */
export class Line {
  private readonly ends: WebSocketRoute[] = [];
  private whole: Promise<void> = Promise.resolve();
  private mend: () => void = () => undefined;
  private unreadable: string | undefined;

  /** Of pages that are opened later. */
  static async of(context: BrowserContext): Promise<Line> {
    const line = new Line();
    await context.routeWebSocket(/\/graphql$/, async (page) => {
      await line.whole;
      const panel = page.connectToServer();
      panel.onMessage((message) => page.send(line.spoiled(String(message))));
      line.ends.push(panel, page);
    });
    return line;
  }

  async cut(code = 1012): Promise<void> {
    this.whole = new Promise((resolve) => (this.mend = resolve));
    await Promise.all(this.ends.splice(0).map(async (end) => end.close({ code, reason: 'cut' })));
  }

  /** The next event of this field comes with nothing in it. */
  spoil(field: string): void {
    this.unreadable = field;
  }

  private spoiled(text: string): string {
    const field = this.unreadable;
    if (field === undefined || !text.includes(`"data":{"${field}":`)) return text;
    this.unreadable = undefined;
    const { payload, ...message } = JSON.parse(text) as { payload: object };
    return JSON.stringify({ ...message, payload: { ...payload, data: { [field]: null } } });
  }

  join(): void {
    this.mend();
  }
}
