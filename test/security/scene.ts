import { createHash, randomBytes, randomUUID } from 'node:crypto';

import { ServiceTokens } from '#platform/auth/service-token.js';
import { idPrefixes, newId, type IdKind } from '#platform/ids.js';
import { Keyring } from '#platform/secrets/keyring.js';
import type { Role } from '#platform/viewer.js';
import { snakeCase } from '#rest-compat/text.js';

import { dataOf } from '../support/answers.js';
import { testSecretsKey, type TestPanel } from '../support/panel.js';
import { Node, type Tenant } from '../support/world.js';
import { NoArguments, type Source } from './arguments.js';
import type { Caller } from './matrix.js';
import { alongside } from './matrix/access.js';
import { rowsOf, type Row } from './rows.js';

/** A tenant with a node and an enrollment token, and with everyone who may call in its name. */
export class Scene implements Source {
  rows: Row[] = [];
  values: Record<string, unknown> = {};
  /** Of the owner, as a node gets it; it is none of the panel's own tokens. */
  oauthToken: string | undefined;
  private spare: string | undefined;
  private readonly tokens = new Map<string, Promise<string | undefined>>();

  protected constructor(
    readonly panel: TestPanel,
    readonly tenant: Tenant,
    /** In every name that the tenant gives to anything. */
    readonly word: string,
    readonly node: Node,
    readonly enrollmentToken: string,
    /** Lends what this one has not: an OAuth token, and ids of things that take long to come about. */
    private readonly lender?: Scene,
  ) {}

  static async make(panel: TestPanel, lender?: Scene): Promise<Scene> {
    const scene = new Scene(panel, ...(await foundation(panel)), lender);
    await scene.reread();
    return scene;
  }

  /** To be called again when the tenant got more. */
  async reread(): Promise<void> {
    // Somebody whom any administrator of the tenant may change.
    this.spare ??= (await this.member('viewer', false)).userId;
    this.rows = await rowsOf(this.panel, this.tenant.id);
    this.values = {
      ...this.values,
      'AuthorizationRequestInput.redirectUri': redirectUri(this.word),
      'ChangeMemberRoleInput.userId': this.spare,
      'Mutation.endMemberSessions.userId': this.spare,
      'Mutation.removeMember.id': this.spare,
      'ResetSecondFactorInput.userId': this.spare,
    };
  }

  id(noun: string): string {
    const found = this.find(noun) ?? this.lender?.find(noun);
    if (found) return found;
    throw new NoArguments(`no tenant of test/security/scene.ts has a thing called ${noun}: make one`);
  }

  /** One of each kind of thing that it has. */
  get ids(): string[] {
    return [...new Set(Object.keys(idPrefixes).flatMap((noun) => this.find(noun) ?? []))];
  }

  /** Those that an area keeps anywhere, in rows of its own or in what it is told and tells of others. */
  idsIn(area: string): string[] {
    const texts = this.rows.filter(({ table }) => table.startsWith(`${area}.`)).map(({ row }) => row);
    return this.ids.filter((id) => texts.some((text) => text.includes(id)));
  }

  /** A token for a call that needs this permission. `isNew` makes a user of its own, whose session nobody has ended. */
  async token(
    caller: Caller,
    permission: string | undefined,
    others: readonly string[],
    isNew = false,
  ): Promise<string | undefined> {
    // A service's token is for one permission and what that takes along, and ends after a minute.
    const isKept = !isNew && !caller.endsWith('service');
    const token = (isKept && this.tokens.get(caller)) || this.makeToken(caller, permission, others);
    if (isKept) this.tokens.set(caller, token);
    return token;
  }

  private async makeToken(
    caller: Caller,
    permission: string | undefined,
    others: readonly string[],
  ): Promise<string | undefined> {
    switch (caller) {
      case 'anonymous':
        return undefined;
      case 'oauth':
        return this.oauthToken ?? this.lender?.oauthToken;
      case 'node':
        return this.node.credential;
      case 'service':
        return this.serviceToken(permission ? [permission, ...(alongside[permission] ?? [])] : []);
      case 'other service':
        return this.serviceToken(others.filter((other) => other !== permission));
      case 'administrator':
        return (await this.member('viewer', true)).token;
      case 'owner':
      case 'admin':
      case 'operator':
      case 'billing':
      case 'viewer':
        return (await this.member(caller, false)).token;
    }
  }

  private async serviceToken(permissions: readonly string[]): Promise<string> {
    const tokens = new ServiceTokens(Keyring.parse(testSecretsKey), 'http://panel.test', this.panel.clock);
    return tokens.issue('test', this.tenant.id, permissions);
  }

  /**
   * Another user of the tenant, with the owner's password, and a session of its own. Its rows are copies of the
   * owner's, as no mutation invites users yet; its access token comes from the panel, by `refreshSession`.
   */
  async member(role: Role, isAdministrator: boolean): Promise<{ userId: string; token: string }> {
    const [user, session, secret] = [newId('user'), newId('session'), randomBytes(32).toString('base64url')];
    const email = `${this.word}-${randomUUID()}@example.com`;
    const changes = {
      user: { id: user, email, role: role.toUpperCase(), is_administrator: isAdministrator },
      session: { id: session, user_id: user },
      refresh: { session_id: session, token_hash: sha256(secret) },
    };
    await this.panel.sql(
      `with u as (insert into identity."user"
           select (jsonb_populate_record(o, $3::jsonb -> 'user')).* from identity."user" o where o.tenant_id = $1 and o.id = $2),
         s as (insert into identity.session
           select (jsonb_populate_record(o, $3::jsonb -> 'session')).* from identity.session o
           where o.tenant_id = $1 and o.user_id = $2 and o.revoked_at is null limit 1)
       insert into identity.refresh_token
         select (jsonb_populate_record(r, $3::jsonb -> 'refresh')).* from identity.refresh_token r
         join identity.session o on o.tenant_id = r.tenant_id and o.id = r.session_id
         where o.tenant_id = $1 and o.user_id = $2 and o.revoked_at is null and r.used_at is null limit 1`,
      [this.tenant.id, this.tenant.user.id, JSON.stringify(changes)],
    );
    const answer = await this.panel.world.graphql<{ refreshSession: { accessToken: string } }>(
      'mutation($input: RefreshSessionInput!) { refreshSession(input: $input) { accessToken } }',
      { input: { refreshToken: secret } },
    );
    return { userId: user, token: dataOf(answer).refreshSession.accessToken };
  }

  /** From the table of such things, or else wherever an id with their prefix is. */
  private find(noun: string): string | undefined {
    if (noun === 'tenant') return this.tenant.id;
    const table = `.${snakeCase(noun)}`;
    const inTable = this.rows.find((row) => row.table.endsWith(table) && row.row.includes('"id": "'));
    if (inTable) return /"id": "([^"]+)"/.exec(inTable.row)?.[1];
    if (!isIdKind(noun)) return undefined;
    const anywhere = new RegExp(`\\b(${idPrefixes[noun]}_[0-9a-z]{26})\\b`);
    return this.rows.map(({ row }) => anywhere.exec(row)?.[1]).find(Boolean);
  }
}

function isIdKind(noun: string): noun is IdKind {
  return noun in idPrefixes;
}

type Foundation = [tenant: Tenant, word: string, node: Node, enrollmentToken: string];

/** What every scene begins with. */
export async function foundation(panel: TestPanel): Promise<Foundation> {
  const word = `w${randomBytes(8).toString('hex')}`;
  const tenant = await panel.world.tenant(`${word} company`);
  const token = await tenant.enrollmentToken({ name: `${word} token`, tags: [`${word}-tag`] });
  return [tenant, word, await enroll(panel, word, token), token];
}

/** A node that users may sign in to. */
export async function enroll(panel: TestPanel, word: string, token: string): Promise<Node> {
  const name = `${word}-${randomBytes(4).toString('hex')}`;
  const answer = await panel.world.graphql<{ enrollInstance: { instanceId: string; credential: string } }>(
    'mutation($input: EnrollInstanceInput!) { enrollInstance(input: $input) { instanceId credential } }',
    {
      input: {
        token,
        name: `${name} name`,
        hostname: `${name}.example.com`,
        version: '0.2.9',
        baseUrl: `https://${word}.example.com`,
        redirectUris: [redirectUri(word)],
      },
    },
  );
  const { instanceId, credential } = dataOf(answer).enrollInstance;
  return new Node(panel.world, name, instanceId, credential);
}

/** Where the nodes of a scene take browsers back. */
export const redirectUri = (word: string): string => `https://${word}.example.com/callback`;

/** As identity keeps secrets. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');
