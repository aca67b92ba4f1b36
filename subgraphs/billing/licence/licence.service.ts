import DataLoader from 'dataloader';

import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';

import type { TenantTime } from '../test-clock/tenant-time.service.js';
import type { LicenceKeys } from './licence-keys.js';
import { Licence } from './licence.entity.js';
import { LicenceCode, type LicenceValidation, type ValidateLicenceInput } from './licence.inputs.js';

/** Licences as tenants and nodes see them. */
export class LicenceService {
  constructor(
    private readonly keys: LicenceKeys,
    private readonly entitlements: Entitlements,
    private readonly times: TenantTime,
  ) {}

  /** Of the nodes that are in the fleet, in the order in which they were licensed. */
  async page(operation: Operation, args: PageArgs): Promise<Page<Licence>> {
    const window = pageWindow(args);
    const active = { tenantId: operation.tenantId, freedAt: null };
    const rows = await operation.em.find(
      Licence,
      { ...active, ...(window.after === undefined ? {} : { id: { $gt: window.after } }) },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(Licence, active));
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

  private async load({ em, tenantId }: Operation, ids: readonly string[]): Promise<(Licence | null)[]> {
    const found = await em.find(Licence, { tenantId, instanceId: { $in: [...ids] }, freedAt: null });
    return ids.map((id) => found.find(({ instanceId }) => instanceId === id) ?? null);
  }
}
