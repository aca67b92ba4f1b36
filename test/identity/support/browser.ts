/** A browser without scripts: keeps cookies per origin and path, follows nothing by itself, fills in forms. */
export class FormBrowser {
  private readonly cookies: { origin: string; name: string; value: string; path: string }[] = [];
  url = '';
  html = '';
  status = 0;
  headers = new Headers();

  async get(url: string): Promise<this> {
    return this.send(url, { method: 'GET' });
  }

  /** Sends the form of the page that is in force with these fields on top of its hidden ones. */
  async submit(fields: Record<string, string>, index = 0): Promise<this> {
    const form = [...this.html.matchAll(/<form[\s\S]*?<\/form>/g)][index]?.[0] ?? '';
    const given = [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(
      ([, name = '', value = '']) => [name, unescape(value)] as const,
    );
    return this.post({ ...Object.fromEntries(given), ...fields });
  }

  async post(fields: Record<string, string>, url = this.url): Promise<this> {
    return this.send(url, {
      method: 'POST',
      body: new URLSearchParams(fields).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
  }

  /** Goes where the answer sends it, as often as it is sent on. */
  async follow(): Promise<this> {
    for (let hops = 0; this.location !== null; hops += 1) {
      if (hops === 10) throw new Error('the browser is sent in circles');
      await this.get(this.location);
    }
    return this;
  }

  get location(): string | null {
    const to = this.headers.get('location');
    return to === null ? null : new URL(to, this.url).href;
  }

  clearCookies(): void {
    this.cookies.length = 0;
  }

  private async send(url: string, init: RequestInit): Promise<this> {
    const { origin, pathname } = new URL(url);
    const cookie = this.cookies
      .filter((held) => held.origin === origin && pathname.startsWith(held.path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    const response = await fetch(url, {
      ...init,
      headers: { ...(init.headers as Record<string, string>), ...(cookie === '' ? {} : { cookie }) },
      redirect: 'manual',
    });
    for (const line of response.headers.getSetCookie()) this.keep(origin, line);
    this.url = url;
    this.status = response.status;
    this.headers = response.headers;
    this.html = await response.text();
    return this;
  }

  private keep(origin: string, line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    const path = /Path=([^;]+)/i.exec(line)?.[1] ?? '/';
    const others = this.cookies.filter((held) => held.origin !== origin || held.name !== name);
    this.cookies.splice(0, this.cookies.length, ...others, {
      origin,
      name,
      value: decodeURIComponent(value),
      path,
    });
  }
}

function unescape(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
