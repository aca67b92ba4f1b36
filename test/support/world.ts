import { randomUUID } from 'node:crypto';

import type { TestClock } from './clock.js';
import { call, type Answer, type Call } from './http.js';

export interface GraphQLAnswer<Data = Record<string, unknown>> {
  data: Data | null;
  errors?: { message: string; path?: (string | number)[]; extensions: Record<string, unknown> }[];
}

export interface Tokens {
  user: { id: string; email: string; role: string; tenant: { id: string; name: string; plan: string } };
  access_token: string;
  refresh_token: string;
}

/** Builds what a test needs, through the public API only, so that tests read as stories. */
export class World {
  /** The administrator's token, and when it was given. */
  private administration: { token: string; at: number } | undefined;

  constructor(
    readonly url: string,
    readonly clock: TestClock,
    /** Whether every area knows what the tenant was granted; where nobody can say, fleet is asked. */
    readonly knowsGrants: (tenantId: string) => Promise<boolean> = async () => true,
  ) {}

  async rest<Body = Record<string, unknown>>(path: string, options: Call = {}): Promise<Answer<Body>> {
    return call<Body>(this.url + path, options);
  }

  async graphql<Data = Record<string, unknown>>(
    query: string,
    variables: Record<string, unknown> = {},
    token?: string,
  ): Promise<GraphQLAnswer<Data>> {
    const answer = await call<GraphQLAnswer<Data>>(`${this.url}/graphql`, {
      token,
      body: { query, variables },
    });
    return answer.body;
  }

  /** Registers a new tenant with its owner, signed in. */
  async tenant(name = `Tenant ${randomUUID()}`): Promise<Tenant> {
    const email = `${randomUUID()}@example.com`;
    const answer = await this.rest<Tokens>('/api/auth/register', {
      body: { email, password: 'correct horse battery', name: 'Owner', company: name },
    });
    if (answer.status !== 201) throw new Error(`register: ${answer.status} ${answer.text}`);
    return new Tenant(this, { email, password: 'correct horse battery' }, answer.body);
  }

  async login(email: string, password: string): Promise<Answer<Tokens>> {
    return this.rest<Tokens>('/api/auth/login', { body: { email, password } });
  }

  /** An access token of the platform administrator. Signs in anew before the last one ends. */
  async administrator(): Promise<string> {
    const now = this.clock.now().getTime();
    if (this.administration && now - this.administration.at < 300_000) return this.administration.token;
    const answer = await this.login('admin@panel.test', 'administrator-password');
    if (answer.status !== 200) throw new Error(`login: ${answer.status} ${answer.text}`);
    this.administration = { token: answer.body.access_token, at: now };
    return this.administration.token;
  }
}

/** A tenant with its signed-in owner. */
export class Tenant {
  readonly id: string;
  readonly token: string;
  readonly refreshToken: string;
  readonly user: Tokens['user'];

  constructor(
    readonly world: World,
    readonly account: { email: string; password: string },
    private readonly tokens: Tokens,
  ) {
    this.id = tokens.user.tenant.id;
    this.user = tokens.user;
    this.token = tokens.access_token;
    this.refreshToken = tokens.refresh_token;
  }

  /** The same tenant at another panel, with the tokens that it has. */
  at(world: World): Tenant {
    return new Tenant(world, this.account, this.tokens);
  }

  async rest<Body = Record<string, unknown>>(path: string, options: Call = {}): Promise<Answer<Body>> {
    return this.world.rest<Body>(path, { token: this.token, ...options });
  }

  async graphql<Data = Record<string, unknown>>(
    query: string,
    variables: Record<string, unknown> = {},
  ): Promise<GraphQLAnswer<Data>> {
    return this.world.graphql<Data>(query, variables, this.token);
  }

  /** Puts a plan in force, as the platform administrator. */
  async grantPlan(plan: 'FREE' | 'PRO' | 'ENTERPRISE'): Promise<this> {
    const answer = await this.world.graphql(
      'mutation($input: GrantPlanInput!) { grantPlan(input: $input) { plan } }',
      { input: { tenantId: this.id, plan } },
      await this.world.administrator(),
    );
    if (answer.errors) throw new Error(`grantPlan: ${JSON.stringify(answer.errors)}`);
    const limit = { FREE: 3, PRO: 25, ENTERPRISE: null }[plan];
    await until(async () => (await this.instanceLimit()) === limit, `the ${plan} plan to reach fleet`);
    await until(async () => this.world.knowsGrants(this.id), `the ${plan} plan to reach every area`);
    return this;
  }

  /** How many instances the plan allows, as fleet knows it. */
  async instanceLimit(): Promise<number | null | undefined> {
    const { data } = await this.graphql<{ tenant: { instanceCounts: { limit: number | null } | null } }>(
      '{ tenant { instanceCounts { limit } } }',
    );
    return data?.tenant.instanceCounts?.limit;
  }

  async enrollmentToken(options: Record<string, unknown> = {}): Promise<string> {
    const answer = await this.rest<{ token: string }>('/api/fleet/tokens', {
      body: { name: 'test', ...options },
    });
    if (answer.status !== 201) throw new Error(`tokens: ${answer.status} ${answer.text}`);
    return answer.body.token;
  }

  /** A node that has enrolled, and has not beaten yet. For more than Free allows the tenant is put on Pro. */
  async node(name = `node-${randomUUID().slice(0, 8)}`): Promise<Node> {
    const enroll = async () =>
      this.world.rest<{ instance_id: string; credential: string }>('/api/agent/enroll', {
        body: {
          token: await this.enrollmentToken(),
          name,
          hostname: `${name}.example.com`,
          version: '0.2.9',
        },
      });
    let answer = await enroll();
    if (answer.status === 409 && answer.text.includes('The plan free')) {
      await this.grantPlan('PRO');
      answer = await enroll();
    }
    if (answer.status !== 201) throw new Error(`enroll: ${answer.status} ${answer.text}`);
    return new Node(this.world, name, answer.body.instance_id, answer.body.credential);
  }
}

/** A node with its credential. */
export class Node {
  constructor(
    readonly world: World,
    readonly name: string,
    readonly id: string,
    readonly credential: string,
  ) {}

  /** Beats with ordinary readings; `more` adds to them or puts others in their place. */
  async beat(
    more: Record<string, unknown> = {},
    signal?: AbortSignal,
  ): Promise<Answer<Record<string, unknown>>> {
    return this.world.rest('/api/agent/heartbeat', {
      token: this.credential,
      body: { ...ordinaryBeat, ...more },
      ...(signal ? { signal } : {}),
    });
  }
}

export const ordinaryBeat = {
  cpu_percent: 12.5,
  memory_percent: 40,
  disk_percent: 30,
  apps_count: 3,
  cpu_cores: 4,
  memory_gb: 16,
  version: '0.2.9',
};

/** Looks again until it is so, and fails when it takes too long: not soon, as other files' tests want the cores too. */
export async function until(isSo: () => Promise<boolean>, what: string, withinMs = 50_000): Promise<void> {
  // What it waits for needs the cores too.
  let pauseMs = 10;
  for (const end = Date.now() + withinMs; !(await isSo());) {
    if (Date.now() > end) throw new Error(`waited ${withinMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    pauseMs = Math.min(pauseMs * 1.5, 100);
  }
}
