import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { dataOf, refusal, restTime } from '../../support/answers.js';
import { Live } from '../../support/live.js';
import { modes, startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import { until, type Tenant } from '../../support/world.js';
import { entryOf, trailOf } from '../audit/support.js';
import { client, provider } from '../msp/support.js';
import { Mailbox } from '../support/mailbox.js';
import { act, exportedNames, grant, revoke } from './support.js';

const hour = 60 * 60 * 1000;

describe.each(modes)('%s', (mode) => {
  let mailbox: Mailbox;
  let panel: TestPanel;
  beforeAll(async () => {
    mailbox = await Mailbox.start();
    panel = await startTestPanel({ SMTP_URL: mailbox.url }, mode);
  });
  afterAll(async () => {
    await panel.stop();
    await mailbox[Symbol.asyncDispose]();
  });

  async function pair(): Promise<{ parent: Tenant; acme: Tenant }> {
    const parent = await provider(panel);
    return { parent, acme: await client(panel, mailbox, parent) };
  }

  test.concurrent('a provider acts in a client only under its grant, in its role, and both have it in their trails', async () => {
    const { parent, acme } = await pair();
    const required = { code: 'FORBIDDEN', reason: 'GRANT_REQUIRED' };
    expect(refusal(await act(panel, parent.token, acme.id))).toEqual(required);
    const given = dataOf(await grant(acme, { reason: 'Patching' })).grantDelegation;
    expect(given).toEqual({
      id: expect.stringMatching(/^dlg_/),
      clientId: acme.id,
      providerId: parent.id,
      role: 'OPERATOR',
      expiresAt: new Date(panel.clock.now().getTime() + hour).toISOString(),
      revokedAt: null,
      revokedBy: null,
    });
    const acting = dataOf(await act(panel, parent.token, acme.id)).actInTenant;
    expect([acting.role, acting.expiresIn, acting.delegation.id]).toEqual(['OPERATOR', 900, given.id]);

    const token = acting.accessToken;
    const made = await panel.world.rest('/api/fleet/tokens', { token, body: { name: 'by the provider' } });
    expect(made.status).toBe(201);
    const seen = await panel.world.graphql<{ tenant: { id: string } }>('{ tenant { id } }', {}, token);
    expect(dataOf(seen).tenant.id).toBe(acme.id);
    expect((await parent.rest('/api/fleet/tokens')).body).toEqual([]);

    expect(await entryOf(acme, 'createEnrollmentToken')).toMatchObject({
      actor: parent.user.id,
      actorKind: 'delegate',
      details: { grant: given.id, actorTenant: parent.id },
    });
    expect(await entryOf(acme, 'actInTenant')).toMatchObject({
      actor: parent.user.id,
      actorKind: 'delegate',
      target: given.id,
      details: { changes: { actorTenant: parent.id, role: 'OPERATOR' } },
    });
    expect(await entryOf(parent, 'delegation_used')).toMatchObject({
      actor: parent.user.id,
      target: given.id,
      details: { reason: `acts in ${acme.id}` },
    });
    // People of the provider are named to the owner of its client; to others it is told whose people they are.
    const namedTo = async (reader: string) =>
      dataOf(
        await panel.world.graphql<{ auditEvents: { nodes: object[] } }>(
          `{ auditEvents(filter: { action: "createEnrollmentToken" }) { nodes { actorName actorEmail actorTenantName } } }`,
          {},
          reader,
        ),
      ).auditEvents.nodes;
    const { name } = parent.user.tenant;
    const ofParent = { actorTenantName: name };
    expect(await namedTo(acme.token)).toEqual([
      { ...ofParent, actorName: 'Owner', actorEmail: parent.account.email },
    ]);
    expect(await exportedNames(panel, acme.token)).toEqual(['Owner', parent.account.email, name]);
    const admin = await tokenInRole(panel, acme, 'ADMIN');
    expect(await namedTo(admin)).toEqual([{ ...ofParent, actorName: null, actorEmail: null }]);
    expect(await exportedNames(panel, admin)).toEqual(['', '', name]);
  });

  test.concurrent('a revoked grant is 403 within seconds, on open subscriptions too', async () => {
    const { parent, acme } = await pair();
    const { id } = dataOf(await grant(acme)).grantDelegation;
    const { accessToken: token } = dataOf(await act(panel, parent.token, acme.id)).actInTenant;
    await using live = new Live(panel.panel.url, token, 'subscription { instanceChanged { name } }');
    await live.opened();
    await acme.node('before');
    await live.received(1);
    for (let times = 0; times < 2; times += 1) {
      expect(dataOf(await revoke(acme, id)).revokeDelegation).toEqual({
        id,
        revokedAt: panel.clock.now().toISOString(),
        revokedBy: acme.user.id,
      });
    }
    const status = async () => (await panel.world.rest('/api/fleet/instances', { token })).status;
    await until(async () => (await status()) === 403, 'the refusal', 3_000);
    const ended = { code: 'FORBIDDEN', reason: 'GRANT_ENDED' };
    expect(refusal(await panel.world.graphql('{ tenant { id } }', {}, token))).toEqual(ended);
    expect(refusal(await act(panel, parent.token, acme.id))).toEqual(ended);
    await acme.node('after');
    // The socket is closed for good, or says so at the next event: whichever comes first.
    await until(
      async () => live.error !== undefined || live.results.length > 1,
      'the subscription to end',
      5_000,
    );
    const told = live.error ? (live.error as { code?: number }).code : live.firstErrorCode;
    expect([4401, 'FORBIDDEN']).toContain(live.results[1]?.errors?.[0]?.extensions?.['code'] ?? told);
    expect(JSON.stringify(live.results)).not.toContain('after');
  });

  test.concurrent('granting again replaces the grant that is in force', async () => {
    const { parent, acme } = await pair();
    const first = dataOf(await grant(acme, { role: 'ADMIN' })).grantDelegation;
    const { accessToken } = dataOf(await act(panel, parent.token, acme.id)).actInTenant;
    const second = dataOf(await grant(acme, { role: 'VIEWER' })).grantDelegation;
    await until(
      async () => (await panel.world.rest('/api/fleet/instances', { token: accessToken })).status === 403,
      'the first to end',
    );
    expect(dataOf(await act(panel, parent.token, acme.id)).actInTenant.role).toBe('VIEWER');
    const list = '{ delegations { nodes { id revokedBy } } }';
    const given = dataOf(await acme.graphql<{ delegations: { nodes: object[] } }>(list)).delegations.nodes;
    expect(given).toEqual([
      { id: first.id, revokedBy: acme.user.id },
      { id: second.id, revokedBy: null },
    ]);
    const inForce = dataOf(
      await acme.graphql<Record<string, { nodes: object[]; totalCount: number }>>(
        `query ($client: ID!, $other: ID!) {
           now: delegations(filter: { isInForce: true }) { nodes { id } totalCount }
           ended: delegations(filter: { isInForce: false, clientId: $client }) { nodes { id } totalCount }
           others: delegations(filter: { clientId: $other }) { nodes { id } totalCount }
         }`,
        { client: acme.id, other: parent.id },
      ),
    );
    expect(inForce).toEqual({
      now: { nodes: [{ id: second.id }], totalCount: 1 },
      ended: { nodes: [{ id: first.id }], totalCount: 1 },
      others: { nodes: [], totalCount: 0 },
    });
    const received = dataOf(
      await parent.graphql<{ delegationsReceived: { nodes: object[] } }>(
        '{ delegationsReceived { nodes { id revokedBy } } }',
      ),
    );
    expect(received.delegationsReceived.nodes).toEqual(given);
    const idsOf = async (filter: object) =>
      dataOf(
        await parent.graphql<{ delegationsReceived: { nodes: { id: string }[]; totalCount: number } }>(
          'query ($filter: DelegationFilter) { delegationsReceived(filter: $filter) { nodes { id } totalCount } }',
          { filter },
        ),
      ).delegationsReceived;
    expect(await idsOf({ isInForce: true })).toEqual({ nodes: [{ id: second.id }], totalCount: 1 });
    expect(await idsOf({ isInForce: false, clientId: acme.id })).toEqual({
      nodes: [{ id: first.id }],
      totalCount: 1,
    });
    expect(await idsOf({ clientId: parent.id })).toEqual({ nodes: [], totalCount: 0 });
  });

  // What follows is asked of identity alone, wherever it runs.
  if (mode === 'split') return;

  test.concurrent('whoever acts under a grant is told as whom, where, and until when', async () => {
    const { parent, acme } = await pair();
    const given = dataOf(await grant(acme)).grantDelegation;
    const { accessToken: token } = dataOf(await act(panel, parent.token, acme.id)).actInTenant;
    const home = await parent.rest('/api/auth/me');
    const { body, status } = await panel.world.rest('/api/auth/me', { token });
    expect([status, body]).toEqual([
      200,
      {
        ...home.body,
        role: 'operator',
        tenant: ((await acme.rest('/api/auth/me')).body as { tenant: unknown }).tenant,
        acting: {
          delegation_id: given.id,
          home_tenant_id: parent.id,
          home_tenant_name: (home.body['tenant'] as { name: string }).name,
          ends_at: restTime(new Date(given.expiresAt)),
        },
      },
    ]);
    expect(home.body).not.toHaveProperty('acting');
    expect(refusal(await panel.world.graphql('{ sessions { totalCount } }', {}, token))['code']).toBe(
      'FORBIDDEN',
    );
  });

  test.concurrent('whoever acts under a grant can not stay beyond it', async () => {
    const { parent, acme } = await pair();
    dataOf(await grant(acme, { role: 'ADMIN' }));
    const { accessToken } = dataOf(await act(panel, parent.token, acme.id)).actInTenant;
    const attempts = await Promise.all(
      [
        'mutation { inviteMember(input: { email: "friend@provider.example", role: ADMIN }) { id } }',
        'mutation { createApiKey(input: { name: "door", permissions: ["fleet.instance.read"], currentPassword: "x" }) { key } }',
        'mutation { grantDelegation(input: { role: ADMIN, expiresInHours: 8760 }) { id } }',
        `mutation { removeMember(id: "${acme.user.id}") { id } }`,
        `mutation { actInTenant(input: { tenantId: "${acme.id}" }) { accessToken } }`,
        'mutation { updateProfile(input: { name: "x" }) { id } }',
      ].map(async (query) => panel.world.graphql(query, {}, accessToken)),
    );
    expect(attempts.map((answer) => refusal(answer)['code'])).toEqual(attempts.map(() => 'FORBIDDEN'));
  });

  test.concurrent('the client sees live who was granted what, and when they come', async () => {
    const { parent, acme } = await pair();
    await using live = new Live(
      panel.panel.url,
      acme.token,
      'subscription { delegationChanged { id role revokedAt lastUsedAt } }',
    );
    await live.opened();
    const { id } = dataOf(await grant(acme, { role: 'VIEWER' })).grantDelegation;
    await live.received(1);
    await act(panel, parent.token, acme.id);
    await live.received(2);
    await revoke(acme, id);
    await live.received(3);
    const now = panel.clock.now().toISOString();
    expect(live.results.map(({ data }) => data?.['delegationChanged'])).toEqual([
      { id, role: 'VIEWER', revokedAt: null, lastUsedAt: null },
      { id, role: 'VIEWER', revokedAt: null, lastUsedAt: now },
      { id, role: 'VIEWER', revokedAt: now, lastUsedAt: now },
    ]);
  });

  test.concurrent('the provider sees live what its clients grant and end, and nobody else does', async () => {
    const { parent, acme } = await pair();
    const other = await pair();
    const document = `subscription ($clientId: ID) {
      receivedDelegationChanged(clientId: $clientId) { id clientId role revokedAt lastUsedAt }
    }`;
    const follow = (token: string, clientId: string | null) =>
      new Live(panel.panel.url, token, document, { variables: { clientId } });
    await using all = follow(parent.token, null);
    await using ofOther = follow(parent.token, other.acme.id);
    await using stranger = follow(other.parent.token, null);
    for (const live of [all, ofOther, stranger]) await live.opened();
    const { id } = dataOf(await grant(acme, { role: 'VIEWER' })).grantDelegation;
    await all.received(1);
    await act(panel, parent.token, acme.id);
    await all.received(2);
    await revoke(acme, id);
    await all.received(3);
    const now = panel.clock.now().toISOString();
    const told = { id, clientId: acme.id, role: 'VIEWER', revokedAt: null, lastUsedAt: null };
    expect(all.results.map(({ data }) => data?.['receivedDelegationChanged'])).toEqual([
      told,
      { ...told, lastUsedAt: now },
      { ...told, revokedAt: now, lastUsedAt: now },
    ]);
    const theirs = dataOf(await grant(other.acme, { role: 'VIEWER' })).grantDelegation.id;
    expect(await stranger.received(1)).toMatchObject([
      { data: { receivedDelegationChanged: { id: theirs } } },
    ]);
    expect(ofOther.results).toEqual([]);
  });

  test.concurrent('a grant gives nobody more than they have at home', async () => {
    const { parent, acme } = await pair();
    dataOf(await grant(acme, { role: 'ADMIN' }));
    const operator = await tokenInRole(panel, parent, 'OPERATOR');
    expect(dataOf(await act(panel, operator, acme.id)).actInTenant.role).toBe('VIEWER');
    const billing = await tokenInRole(panel, parent, 'BILLING');
    expect(refusal(await act(panel, billing, acme.id))).toMatchObject({ code: 'FORBIDDEN' });
  });

  test.concurrent('a provider whose plan has no clients any more acts in none', async () => {
    const { parent, acme } = await pair();
    dataOf(await grant(acme));
    dataOf(await act(panel, parent.token, acme.id));
    await panel.sql(`update identity.entitlement set features = '{}' where tenant_id = $1`, [parent.id]);
    const required = { code: 'PLAN_REQUIRED' };
    expect(refusal(await act(panel, parent.token, acme.id))).toMatchObject(required);
    const received = await parent.graphql('{ delegationsReceived { totalCount } }');
    expect(refusal(received)).toMatchObject(required);
  });

  test.concurrent('strangers find no client, and grant nothing', async () => {
    const { parent, acme } = await pair();
    const other = await provider(panel);
    const { id } = dataOf(await grant(acme)).grantDelegation;
    expect(refusal(await act(panel, other.token, acme.id))).toEqual({ code: 'NOT_FOUND' });
    expect(refusal(await act(panel, parent.token, 'org_nonsense'))).toEqual({ code: 'NOT_FOUND' });
    expect(refusal(await revoke(other, id))).toEqual({ code: 'NOT_FOUND' });
    // The provider sees the grant, but it is not its own to end.
    expect(refusal(await revoke(parent, id))).toEqual({ code: 'NOT_FOUND' });
    expect(refusal(await grant(other))).toEqual({ code: 'CONFLICT', reason: 'NO_PROVIDER' });
    expect(refusal(await grant(acme, { role: 'OWNER', expiresInHours: 0 }))).toEqual({
      code: 'VALIDATION_FAILED',
      details: {
        'input.role': 'Ownership can not be delegated',
        'input.expiresInHours': 'It must last at least 1 hour',
      },
    });
    const received = await other.graphql<{ delegationsReceived: { totalCount: number } }>(
      '{ delegationsReceived { totalCount } }',
    );
    expect(dataOf(received).delegationsReceived.totalCount).toBe(0);
    expect((await trailOf(acme, { filter: { actor: other.user.id } })).nodes).toEqual([]);
  });
});
