import type { Request, Response } from 'express';

// A session whose tokens nobody refreshes ends after this; identity says so too.
const idleMs = 14 * 24 * 60 * 60 * 1000;

/** The cookie that keeps the console's refresh token from scripts. */
export class SessionCookie {
  private readonly name: string;
  private readonly options: { httpOnly: true; sameSite: 'strict'; secure: boolean; path: string };

  constructor(publicUrl: string) {
    const secure = publicUrl.startsWith('https:');
    // `__Host-` keeps sites below the same domain from setting it, and asks for the path `/`. Without TLS the path keeps
    // it from whatever else listens on this host, since cookies know no ports.
    this.name = secure ? '__Host-quazzar_console' : 'quazzar_console';
    this.options = { httpOnly: true, sameSite: 'strict', secure, path: secure ? '/' : '/console/session' };
  }

  read(request: Request): string | undefined {
    const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
    const value = pairs.find((pair) => pair.startsWith(`${this.name}=`))?.slice(this.name.length + 1);
    return value && /^[\w-]{1,200}$/.test(value) ? value : undefined;
  }

  write(response: Response, refreshToken: string): void {
    response.cookie(this.name, refreshToken, { ...this.options, maxAge: idleMs });
  }

  clear(response: Response): void {
    response.clearCookie(this.name, this.options);
  }
}
