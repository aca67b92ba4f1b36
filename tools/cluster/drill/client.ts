import { randomUUID } from 'node:crypto';

export interface CallOptions {
  body?: unknown;
  token?: string;
  headers?: Record<string, string>;
  withinMs?: number;
}

/** A tenant of the drill with its nodes, as it sees the panels behind haproxy. */
export class Client {
  readonly nodes: { id: string; credential: string }[] = [];
  tenantId = '';
  token = '';
  private readonly account = { email: `${randomUUID()}@example.com`, password: randomUUID() };

  constructor(readonly url: string) {}

  /** Registers the tenant, with as many nodes as the plan Free has. */
  async prepare(): Promise<void> {
    const made = await this.must('POST', '/api/auth/register', {
      body: { ...this.account, name: 'Drill', company: 'Drill' },
    });
    const { user, access_token: token } = made as { user: { tenant: { id: string } }; access_token: string };
    this.tenantId = user.tenant.id;
    this.token = token;
    for (const name of ['drill-1', 'drill-2', 'drill-3']) {
      const { token: enrollment } = (await this.must('POST', '/api/fleet/tokens', { body: { name } })) as {
        token: string;
      };
      const node = (await this.must('POST', '/api/agent/enroll', {
        body: { token: enrollment, name, hostname: `${name}.example.com`, version: '0.2.9' },
      })) as { instance_id: string; credential: string };
      this.nodes.push({ id: node.instance_id, credential: node.credential });
    }
  }

  /** Tokens last fifteen minutes, the drill may take longer; the one of before does while nobody answers. */
  async signIn(): Promise<void> {
    const answer = await this.call('POST', '/api/auth/login', { body: this.account }).catch(() => undefined);
    if (answer?.status === 200) this.token = (answer.body as { access_token: string }).access_token;
  }

  async call(
    method: string,
    path: string,
    { body, token = this.token, headers = {}, withinMs = 10_000 }: CallOptions = {},
  ): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(withinMs),
    });
    const text = await response.text();
    return { status: response.status, body: /^[[{]/.test(text) ? JSON.parse(text) : text };
  }

  private async must(method: string, path: string, options: CallOptions): Promise<unknown> {
    const { status, body } = await this.call(method, path, options);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  }
}
