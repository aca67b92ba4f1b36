import { LockMode } from '@mikro-orm/core';

import { ApiError, notFound } from '#platform/errors.js';
import { newId } from '#platform/ids.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';
import { validate } from '#platform/validation.js';

import { readSubscription } from '../subscription/subscription.store.service.js';
import { Partner, PartnerStatus } from './partner.entity.js';
import {
  registerPartnerRules,
  updatePartnerRules,
  type PartnerFilter,
  type RegisterPartnerInput,
  type UpdatePartnerInput,
} from './partner.inputs.js';
import { countInstances, lockPartner, openPartner, partnerChanged } from './retier.service.js';
import { PartnerTierChange } from './tier-change.entity.js';

/** Partners as they and the platform's administrators see them. */
export class PartnerService {
  /** In the order in which they registered. */
  async page(
    operation: Operation,
    { status, tenantId: wanted }: PartnerFilter,
    args: PageArgs,
  ): Promise<Page<Partner>> {
    const window = pageWindow(args);
    const isOffice = isAdministrator(operation);
    if (isOffice && wanted == null) {
      const { em } = operation;
      const of = status == null ? [] : [status];
      const [list, count] =
        status == null
          ? ['list_partners(?, ?::integer)', 'count_partners()']
          : ['list_partners_of(?, ?, ?::integer)', 'count_partners_of(?)'];
      const rows = await em.execute<Record<string, unknown>[]>(`select * from billing.${list}`, [
        ...of,
        window.after ?? null,
        window.size + 1,
      ]);
      return toPage(
        rows.map((row) => em.map(Partner, row)),
        window,
        async () => {
          const [counted] = await em.execute<{ count: string }[]>(`select billing.${count} as count`, of);
          return Number(counted?.count ?? 0);
        },
      );
    }
    const tenantId = isOffice && wanted != null ? wanted : operation.tenantId;
    const em = operation.database.forTenant(tenantId);
    const own = {
      $and: [{ tenantId }, { tenantId: wanted ?? tenantId }],
      ...(status == null ? {} : { status }),
    };
    const rows = await em.find(
      Partner,
      { ...own, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => em.count(Partner, own));
  }

  /** Its own; any of an administrator. */
  async get(operation: Operation, id: string): Promise<Partner> {
    const tenantId = await tenantOf(operation, id);
    const partner = await operation.database.forTenant(tenantId).findOne(Partner, { tenantId, id });
    if (!partner) throw notFound('Partner');
    return partner;
  }

  /** Newest first. */
  async tierChanges(operation: Operation, id: string, args: PageArgs): Promise<Page<PartnerTierChange>> {
    const window = pageWindow(args);
    const { tenantId } = await this.get(operation, id);
    const em = operation.database.forTenant(tenantId);
    const of = { tenantId, partnerId: id };
    const rows = await em.find(
      PartnerTierChange,
      { ...of, ...(window.after === undefined ? {} : { id: { $lt: window.after } }) },
      { orderBy: { id: 'desc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => em.count(PartnerTierChange, of));
  }

  async register(operation: Operation, input: RegisterPartnerInput): Promise<Partner> {
    const { name, contactEmail, website = null } = validate(registerPartnerRules, input);
    const { tenantId } = operation;
    return operation.write(async ({ em, audit, publish }) => {
      const { parentTenantId } = await readSubscription(em, tenantId);
      if (parentTenantId !== null) {
        throw new ApiError('CONFLICT', 'It is the client of a provider, and so a customer of it', {
          reason: 'MANAGED_BY_PROVIDER',
        });
      }
      await lockPartner(em, tenantId);
      if (await openPartner(em, tenantId)) {
        throw new ApiError('CONFLICT', 'The organization is registered as a partner already', {
          reason: 'ALREADY_REGISTERED',
        });
      }
      const partner = Object.assign(new Partner(), {
        tenantId,
        id: newId('partner'),
        name,
        contactEmail,
        website,
        status: PartnerStatus.PENDING,
        version: 0,
        tierId: null,
        instances: await countInstances(em, tenantId),
        commissionPercent: 0,
        createdAt: operation.clock.now(),
        approvedAt: null,
        suspendedAt: null,
      });
      publish(partnerChanged(partner, { fromStatus: null }));
      await em.persist(partner).flush();
      audit({ target: partner.id, changes: { name, contactEmail, website } });
      return partner;
    });
  }

  async update(operation: Operation, id: string, input: UpdatePartnerInput): Promise<Partner> {
    const given = Object.entries(validate(updatePartnerRules, input)).filter(([, value]) => value != null);
    const changes = Object.fromEntries(
      given.map(([field, value]) => [field, field === 'website' && value === '' ? null : value]),
    );
    const { tenantId } = operation;
    return operation.write(async ({ em, audit, publish }) => {
      const partner = await em.findOne(Partner, { tenantId, id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!partner) throw notFound('Partner');
      audit({ target: id, changes });
      if (given.length === 0) return partner;
      publish(partnerChanged(Object.assign(partner, changes)));
      return partner;
    });
  }
}

export function isAdministrator({ viewer }: Operation): boolean {
  return viewer?.kind === 'user' && viewer.isAdministrator;
}

/** The tenant whose partner it is, for administrators; for all others their own, whether it is theirs or not. */
export async function tenantOf(operation: Operation, id: string): Promise<string> {
  if (!isAdministrator(operation)) return operation.tenantId;
  const [row] = await operation.em.execute<{ tenantId: string | null }[]>(
    'select billing.tenant_of_partner(?) as "tenantId"',
    [id],
  );
  return row?.tenantId ?? operation.tenantId;
}
