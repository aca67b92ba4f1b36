import { decodeJwt } from 'jose';
import { TOTP } from 'otpauth';
import { expect } from 'vitest';

import { dataOf } from '../../support/answers.js';
import type { Answer } from '../../support/http.js';
import type { TestPanel } from '../../support/panel.js';
import type { Tenant } from '../../support/world.js';

/** What one call of a mutation must have left behind. */
export interface Audited {
  area: 'identity' | 'fleet';
  tenantId: string;
  /** The payload of its audit row. */
  payload: Record<string, unknown>;
  /** Where the row that it changed is. */
  changed: { table: string; where: string; key: unknown };
}

/** Runs each mutation for its audit row, and gathers every secret that it has sent or seen on the way. */
export class AuditedMutations {
  readonly secrets = new Set<string>(['correct horse battery']);

  constructor(
    private readonly panel: TestPanel,
    private readonly administrator: string,
  ) {}

  async rest(path: string, token: string | undefined, body?: Record<string, unknown>, method = 'POST') {
    return this.panel.world.rest(path, { method, token, ...(body ? { body } : {}) });
  }

  /** What each mutation leaves behind. A new mutation has to be added here. */
  readonly all: Record<string, (tenant: Tenant) => Promise<Audited>> = {
    register: async () => {
      const email = 'audited@outbox.example';
      const password = this.secret('a password to be hidden');
      const answer = await this.rest('/api/auth/register', undefined, { email, password, name: 'Audited' });
      this.keepTokens(answer);
      const user = answer.body.user as { id: string; tenant: { id: string } };
      return {
        area: 'identity',
        tenantId: user.tenant.id,
        payload: {
          ...by(user.id, 'register', user.id),
          input: { input: { email, password: '[redacted]', name: 'Audited' } },
        },
        changed: { table: 'identity."user"', where: 'id = $1', key: user.id },
      };
    },

    login: async (tenant) => {
      this.keepTokens(await this.rest('/api/auth/login', undefined, { ...tenant.account }));
      const { email } = tenant.account;
      return {
        ...this.ofUser(tenant, 'login', { input: { email, password: '[redacted]' } }),
        changed: {
          table: 'identity.session',
          where: 'tenant_id = $1 order by created_at desc, id desc limit 1',
          key: tenant.id,
        },
      };
    },

    refreshSession: async (tenant) => {
      const body = { refresh_token: this.secret(tenant.refreshToken) };
      this.keepTokens(await this.rest('/api/auth/refresh', undefined, body));
      return {
        ...this.ofUser(
          tenant,
          'refreshSession',
          { input: { refreshToken: '[redacted]' } },
          await this.sessionOf(tenant),
        ),
        changed: {
          table: 'identity.refresh_token',
          where: 'tenant_id = $1 and used_at is not null',
          key: tenant.id,
        },
      };
    },

    logout: async (tenant) => {
      dataOf(await tenant.graphql('mutation { logout { id } }'));
      const id = await this.sessionOf(tenant);
      return {
        ...this.ofUser(tenant, 'logout', {}, id),
        changed: { table: 'identity.session', where: 'id = $1', key: id },
      };
    },

    revokeSession: async (tenant) => {
      const id = await this.sessionOf(tenant);
      dataOf(await tenant.graphql('mutation($id: ID!) { revokeSession(id: $id) { id } }', { id }));
      return {
        ...this.ofUser(tenant, 'revokeSession', { id }, id),
        changed: { table: 'identity.session', where: 'id = $1', key: id },
      };
    },

    changePassword: async (tenant) => {
      const input = {
        currentPassword: tenant.account.password,
        newPassword: this.secret('another password to be hidden'),
      };
      const query = 'mutation($input: ChangePasswordInput!) { changePassword(input: $input) { id } }';
      dataOf(await tenant.graphql(query, { input }));
      const hidden = { currentPassword: '[redacted]', newPassword: '[redacted]' };
      return this.ofUser(tenant, 'changePassword', { input: hidden });
    },

    updateProfile: async (tenant) => {
      const query = 'mutation { updateProfile(input: { name: "Renamed" }) { name } }';
      dataOf(await tenant.graphql(query));
      const audited = this.ofUser(tenant, 'updateProfile', { input: { name: 'Renamed' } });
      return { ...audited, payload: { ...audited.payload, changes: { name: 'Renamed' } } };
    },

    enableTotp: async (tenant) => {
      await this.enableTotp(tenant);
      return {
        ...this.ofUser(tenant, 'enableTotp', { input: { currentPassword: '[redacted]' } }),
        changed: { table: 'identity.totp_secret', where: 'tenant_id = $1', key: tenant.id },
      };
    },

    verifyTotp: async (tenant) => {
      await this.verifyTotp(tenant, await this.enableTotp(tenant));
      const audited = this.ofUser(tenant, 'verifyTotp', { input: { code: '[redacted]' } });
      return { ...audited, payload: { ...audited.payload, changes: { totpEnabled: true } } };
    },

    disableTotp: async (tenant) => {
      const totp = await this.enableTotp(tenant);
      await this.verifyTotp(tenant, totp);
      // A code counts once, so the next one is of the next half minute.
      await this.panel.clock.advance(30_000);
      const input = { currentPassword: tenant.account.password, code: this.codeOf(totp) };
      dataOf(
        await tenant.graphql(
          'mutation($input: DisableTotpInput!) { disableTotp(input: $input) { __typename } }',
          { input },
        ),
      );
      const hidden = { currentPassword: '[redacted]', code: '[redacted]' };
      const audited = this.ofUser(tenant, 'disableTotp', { input: hidden });
      return { ...audited, payload: { ...audited.payload, changes: { totpEnabled: false } } };
    },

    grantPlan: async (tenant) => {
      const query = 'mutation($id: ID!) { grantPlan(input: { tenantId: $id, plan: PRO }) { plan } }';
      dataOf(await this.panel.world.graphql(query, { id: tenant.id }, this.administrator));
      return {
        area: 'identity',
        tenantId: tenant.id,
        payload: {
          ...by(expect.stringMatching(/^usr_/), 'grantPlan', tenant.id),
          // Whoever runs the panel is of another tenant.
          actorTenant: decodeJwt(this.administrator)['tenant'],
          input: { input: { tenantId: tenant.id, plan: 'PRO' } },
          changes: { plan: 'PRO' },
        },
        changed: { table: 'identity.tenant', where: 'id = $1', key: tenant.id },
      };
    },

    createEnrollmentToken: async (tenant) => {
      const answer = await this.rest('/api/fleet/tokens', tenant.token, { name: 'audited', max_uses: 2 });
      this.secret(String(answer.body.token));
      return this.ofToken(tenant, 'createEnrollmentToken', { input: { name: 'audited', maxUses: 2 } });
    },

    revokeEnrollmentToken: async (tenant) => {
      this.secret(await tenant.enrollmentToken());
      const id = await this.enrollmentTokenOf(tenant);
      await this.rest(`/api/fleet/tokens/${id}`, tenant.token, undefined, 'DELETE');
      return this.ofToken(tenant, 'revokeEnrollmentToken', { id });
    },

    enrollInstance: async (tenant) => {
      const token = this.secret(await tenant.enrollmentToken());
      const node = { name: 'audited-01', hostname: 'audited-01.example.com', version: '0.2.9' };
      const answer = await this.rest('/api/agent/enroll', undefined, { token, ...node });
      this.secret(String(answer.body.credential));
      const id = String(answer.body.instance_id);
      return {
        area: 'fleet',
        tenantId: tenant.id,
        payload: {
          ...by(id, 'enrollInstance', id, 'node'),
          input: { input: { token: '[redacted]', ...node } },
          changes: { enrollmentTokenId: await this.enrollmentTokenOf(tenant) },
        },
        changed: { table: 'fleet.instance', where: 'id = $1', key: id },
      };
    },
  };

  private secret(text: string): string {
    this.secrets.add(text);
    return text;
  }

  private keepTokens({ body }: Answer<Record<string, unknown>>): void {
    for (const name of ['access_token', 'refresh_token']) this.secret(String(body[name]));
  }

  /** By the tenant's owner, on the owner's own row unless another target is told. */
  private ofUser(tenant: Tenant, action: string, input: unknown, target = tenant.user.id): Audited {
    return {
      area: 'identity',
      tenantId: tenant.id,
      payload: { ...by(tenant.user.id, action, target), input },
      changed: { table: 'identity."user"', where: 'id = $1', key: tenant.user.id },
    };
  }

  private async ofToken(tenant: Tenant, action: string, input: unknown): Promise<Audited> {
    return {
      area: 'fleet',
      tenantId: tenant.id,
      payload: { ...by(tenant.user.id, action, await this.enrollmentTokenOf(tenant)), input },
      changed: { table: 'fleet.enrollment_token', where: 'tenant_id = $1', key: tenant.id },
    };
  }

  private async sessionOf(tenant: Tenant): Promise<string> {
    const rows = await this.panel.sql<{ id: string }>(
      'select id from identity.session where tenant_id = $1 order by created_at, id limit 1',
      [tenant.id],
    );
    return rows[0]!.id;
  }

  private async enrollmentTokenOf(tenant: Tenant): Promise<string> {
    const rows = await this.panel.sql<{ id: string }>(
      'select id from fleet.enrollment_token where tenant_id = $1',
      [tenant.id],
    );
    return rows[0]!.id;
  }

  private async enableTotp(tenant: Tenant): Promise<TOTP> {
    const answer = await tenant.graphql<{ enableTotp: { secret: string; recoveryCodes: string[] } }>(
      'mutation($input: EnableTotpInput!) { enableTotp(input: $input) { secret recoveryCodes } }',
      { input: { currentPassword: tenant.account.password } },
    );
    const { secret, recoveryCodes } = dataOf(answer).enableTotp;
    for (const each of [secret, ...recoveryCodes]) this.secret(each);
    return new TOTP({ secret });
  }

  private async verifyTotp(tenant: Tenant, totp: TOTP): Promise<void> {
    const query = 'mutation($input: VerifyTotpInput!) { verifyTotp(input: $input) { __typename } }';
    dataOf(await tenant.graphql(query, { input: { code: this.codeOf(totp) } }));
  }

  private codeOf(totp: TOTP): string {
    return totp.generate({ timestamp: this.panel.clock.now().getTime() });
  }
}

function by(actor: unknown, action: string, target: unknown, actorKind = 'user'): Record<string, unknown> {
  return { action, target, actor, actorKind, clientAddress: '127.0.0.1', userAgent: 'node' };
}
