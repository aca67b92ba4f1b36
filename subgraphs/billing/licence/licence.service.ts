import type { ObjectQuery } from '@mikro-orm/core';
import DataLoader from 'dataloader';

import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page } from '#platform/subgraph/paging.js';

import type { TenantTime } from '../test-clock/tenant-time.service.js';
import type { LicenceKeys } from './licence-keys.js';
import { Licence, LicenceStatus } from './licence.entity.js';
import {
  LicenceCode,
  type LicencesArgs,
  type LicenceValidation,
  type ValidateLicenceInput,
} from './licence.inputs.js';
import { renewalOf } from './licence.rules.js';

/** Licences as tenants and nodes see them. */
export class LicenceService {
  constructor(
    private readonly keys: LicenceKeys,
    private readonly entitlements: Entitlements,
    private readonly times: TenantTime,
  ) {}

  /** Of the nodes that are in the fleet, in the order in which they were licensed. */
  async page(operation: Operation, args: LicencesArgs): Promise<Page<Licence>> {
    const window = pageWindow(args);
    const wanted = {
      tenantId: operation.tenantId,
      freedAt: null,
      ...(await this.inStatus(operation, args.filter?.status)),
    };
    const rows = await operation.em.find(
      Licence,
      { ...wanted, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(Licence, wanted));
  }

  /** Also of a node that has left the fleet. */
  async get({ em, tenantId }: Operation, id: string): Promise<Licence> {
    const licence = await em.findOne(Licence, { tenantId, id });
    if (!licence) throw notFound('Licence');
    return licence;
  }

  /** Of the node that asks. */
  async own(operation: Operation): Promise<Licence> {
    const licence = await this.ofInstance(operation, operation.requireNode().instanceId);
    if (!licence) throw notFound('Licence');
    return licence;
  }

  async ofInstance(operation: Operation, instanceId: string): Promise<Licence | null> {
    const loader = operation.once(
      LicenceService,
      () => new DataLoader((ids: readonly string[]) => this.load(operation, ids)),
    );
    return loader.load(instanceId);
  }

  /** Whether it holds, by the tenant's time. */
  async isActive(operation: Operation, { expiresAt }: Licence): Promise<boolean> {
    return expiresAt > (await this.times.of(operation));
  }

  /** What there is to say of it now, whoever shows it. */
  async codeOf(operation: Operation, licence: Licence): Promise<LicenceCode> {
    if (licence.freedAt) return LicenceCode.FREED;
    if (!(await this.isActive(operation, licence))) return LicenceCode.EXPIRED;
    return (await this.entitlements.of(operation)).isReadOnly ? LicenceCode.OVERDUE : LicenceCode.VALID;
  }

  /** From when on it is issued anew; null while it is not. */
  async renewalOf(operation: Operation, { freedAt, expiresAt }: Licence): Promise<Date | null> {
    if (freedAt || (await this.entitlements.of(operation)).isReadOnly) return null;
    return renewalOf(expiresAt);
  }

  async sign(licence: Licence): Promise<string> {
    return this.keys.sign(licence);
  }

  async validate(operation: Operation, input: ValidateLicenceInput): Promise<LicenceValidation> {
    const claims = await this.keys.verify(input.key);
    if (!claims) return { code: LicenceCode.SIGNATURE_INVALID, isValid: false, licence: null };
    const licence =
      claims.tenantId === operation.tenantId
        ? await operation.em.findOne(Licence, { tenantId: operation.tenantId, id: claims.id })
        : null;
    if (!licence) return { code: LicenceCode.UNKNOWN, isValid: false, licence: null };
    const now = await this.times.of(operation);
    const judge = async (): Promise<LicenceCode> => {
      if (input.instanceId != null && input.instanceId !== claims.instanceId)
        return LicenceCode.WRONG_INSTANCE;
      if (licence.freedAt) return LicenceCode.FREED;
      if (claims.expiresAt * 1000 <= now.getTime()) return LicenceCode.EXPIRED;
      if (claims.issuedAt < Math.floor(licence.issuedAt.getTime() / 1000)) return LicenceCode.SUPERSEDED;
      return (await this.entitlements.of(operation)).isReadOnly ? LicenceCode.OVERDUE : LicenceCode.VALID;
    };
    const code = await judge();
    return { code, isValid: code === LicenceCode.VALID || code === LicenceCode.OVERDUE, licence };
  }

  private async inStatus(
    operation: Operation,
    status: LicenceStatus | null | undefined,
  ): Promise<ObjectQuery<Licence>> {
    if (status == null) return {};
    const now = await this.times.of(operation);
    return { expiresAt: status === LicenceStatus.ACTIVE ? { $gt: now } : { $lte: now } };
  }

  private async load({ em, tenantId }: Operation, ids: readonly string[]): Promise<(Licence | null)[]> {
    const found = await em.find(Licence, { tenantId, instanceId: { $in: [...ids] }, freedAt: null });
    return ids.map((id) => found.find(({ instanceId }) => instanceId === id) ?? null);
  }
}
