import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { entryOf, settled, trailOf } from '../../identity/audit/support.js';
import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { tokenInRole } from '../../support/roles.js';
import { mint, redeem } from './support.js';

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel();
});
afterAll(async () => panel.stop());

describe('the audit trail', () => {
  test('has the minting, the redemption and each refusal, with the actor and without the token', async () => {
    const tenant = await panel.world.tenant();
    const [node, other] = [await tenant.node(), await tenant.node()];
    const { token } = await mint(tenant, node, { reason: 'Support case 7' });
    const { jti } = decodeJwt(token);
    await redeem(other, token);
    await redeem(node, token);
    await redeem(node, token);
    const [minted, redeemed] = [
      await entryOf(tenant, 'impersonateInstance'),
      await entryOf(tenant, 'redeemImpersonation'),
    ];
    await settled(panel, tenant.id);
    const { nodes: refused } = await trailOf(tenant, { filter: { action: 'impersonation_refused' } });
    const changes = { user: tenant.user.id, reason: 'Support case 7', jti };
    expect(minted).toMatchObject({ actor: tenant.user.id, target: node.id, details: { changes } });
    expect(redeemed).toMatchObject({
      actor: node.id,
      actorKind: 'node',
      target: node.id,
      details: { changes: { ...changes, actor: tenant.user.id } },
    });
    expect(
      refused.map(({ actor, target, category, details }) => ({ actor, target, category, details })).reverse(),
    ).toEqual(
      [
        { at: other.id, reason: 'WRONG_NODE' },
        { at: node.id, reason: 'TOKEN_USED' },
      ].map(({ at, reason }) => ({
        actor: at,
        target: at,
        category: 'SECURITY',
        details: { reason, impersonator: tenant.user.id, jti, audience: node.id },
      })),
    );
    const { nodes: all } = await trailOf(tenant, { first: 100 });
    expect(JSON.stringify(all)).not.toContain(token);
    expect(all.filter(({ action }) => action === 'redeemImpersonation')).toHaveLength(1);
  });

  test('has who tried and may not', async () => {
    const tenant = await panel.world.tenant();
    const node = await tenant.node();
    const token = await tokenInRole(panel, tenant, 'OPERATOR');
    const path = `/api/fleet/instances/${node.id}/impersonate`;
    expect((await panel.world.rest(path, { method: 'POST', token })).status).toBe(403);
    await tokenInRole(panel, tenant, 'OWNER');
    const { actor, actorKind, target, details } = await entryOf(tenant, 'impersonation_refused');
    expect({ actor, actorKind, target, details }).toEqual({
      actor: tenant.user.id,
      actorKind: 'user',
      target: node.id,
      details: { reason: 'PERMISSION_MISSING' },
    });
  });

  test('a tenant whose node was shown a foreign token learns nothing of whose it was', async () => {
    const [tenant, foreigners] = [await panel.world.tenant(), await panel.world.tenant()];
    const foreign = await foreigners.node();
    await redeem(foreign, (await mint(tenant, await tenant.node())).token);
    const entry = await entryOf(foreigners, 'impersonation_refused');
    expect(entry.details).toEqual({ reason: 'WRONG_NODE' });
  });
});
