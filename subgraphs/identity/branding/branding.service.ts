import type { SqlEntityManager } from '#platform/database/database.js';
import type { Entitlements } from '#platform/entitlement/entitlements.js';
import { invalid } from '#platform/errors.js';
import { oneLine } from '#platform/mail.js';
import type { Outbound } from '#platform/outbound/outbound.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { validate } from '#platform/validation.js';
import type { BrandingChanged } from '#schema/events.js';

import { defaultColor, updateBrandingRules, type Branding, type UpdateBrandingInput } from './branding.js';
import { contrastWarning } from './contrast.js';
import { checkLogo, type Logo } from './logo.js';

interface Row {
  tenant_id: string;
  company_name: string;
  logo_url: string | null;
  primary_color: string;
  support_email: string | null;
  logo_sha256: string | null;
}

/** How tenants present themselves. Clients show what their provider shows, until they have their own. */
export class BrandingService {
  constructor(
    private readonly entitlements: Entitlements,
    private readonly outbound: Outbound,
    private readonly publicUrl: string,
  ) {}

  /** Of the plans that include it: the tenant's own, or that of a provider, whatever its client's plan. */
  async get(operation: Operation): Promise<Branding> {
    const { tenantId } = operation;
    const row = await this.find(operation);
    if (!row || row.tenant_id === tenantId) await this.entitlements.requireFeature(operation, 'white-label');
    return this.toBranding(tenantId, row ?? (await initial(operation.em, tenantId)));
  }

  /** What is shown to whoever acts in the tenant, whatever their plan and role; null for the panel's own look. */
  async shown(operation: Operation): Promise<Branding | null> {
    const row = await this.find(operation);
    return row ? this.toBranding(operation.tenantId, row) : null;
  }

  async update(operation: Operation, input: UpdateBrandingInput): Promise<Branding> {
    await this.entitlements.requireFeature(operation, 'white-label');
    const given = validate(updateBrandingRules, input);
    const { tenantId } = operation;
    const checked = given.logoUrl ? await checkLogo(this.outbound, given.logoUrl) : undefined;
    if (checked && 'refused' in checked) throw invalid('input.logoUrl', checked.refused);
    const kept = await operation.write(async ({ em, audit, publish }) => {
      const own = await lockOwn(em, tenantId);
      const changed: Row = {
        ...own,
        company_name: given.companyName ?? own.company_name,
        logo_url: orNone(given.logoUrl, own.logo_url),
        primary_color: given.primaryColor ?? own.primary_color,
        support_email: orNone(given.supportEmail, own.support_email),
      };
      const { company_name: companyName, logo_url: logoUrl, primary_color: primaryColor } = changed;
      const supportEmail = changed.support_email;
      audit({ target: tenantId, changes: { companyName, logoUrl, primaryColor, supportEmail } });
      const [stored] = await em.execute<{ version: string }[]>(
        `insert into identity.branding as b (tenant_id, company_name, logo_url, primary_color, support_email, updated_at)
         values (?, ?, ?, ?, ?, ?) on conflict (tenant_id) do update set company_name = excluded.company_name,
           logo_url = excluded.logo_url, primary_color = excluded.primary_color,
           support_email = excluded.support_email, updated_at = excluded.updated_at, version = b.version + 1
         returning version`,
        [tenantId, companyName, logoUrl, primaryColor, supportEmail, operation.clock.now().toISOString()],
      );
      publish({
        topic: 'identity.branding.changed',
        tenantId,
        entityId: tenantId,
        entityVersion: Number(stored!.version),
        payload: { companyName: oneLine(companyName), supportEmail } satisfies BrandingChanged,
      });
      const logo = checked && 'logo' in checked ? checked.logo : undefined;
      // What could be fetched once is better than nothing while it is out of reach.
      if (!logo && logoUrl === own.logo_url) return changed;
      await em.execute(
        'update identity.branding set logo_sha256 = ?, logo_type = ?, logo = ? where tenant_id = ?',
        [...logoColumns(logo), tenantId],
      );
      return { ...changed, logo_sha256: logo?.sha256 ?? null };
    });
    const branding = this.toBranding(tenantId, kept);
    if (checked && 'outOfReach' in checked) {
      const shown = kept.logo_sha256
        ? 'the copy from before is shown'
        : 'none is shown until it is saved again';
      branding.warnings.push(`The logo could not be fetched, ${shown}: ${checked.outOfReach}`);
    }
    return branding;
  }

  /** A logo by its hash, for anyone. */
  async logo(operation: Operation, sha256: string): Promise<{ type: string; content: Buffer } | undefined> {
    const [found] = await operation.database
      .anonymous()
      .execute<{ type: string; content: Buffer }[]>('select * from identity.find_logo(?)', [sha256]);
    return found;
  }

  private async find(operation: Operation): Promise<Row | undefined> {
    const [row] = await operation.em.execute<Row[]>('select * from identity.find_branding(?)', [
      operation.tenantId,
    ]);
    return row;
  }

  private toBranding(tenantId: string, row: Row): Branding {
    const warning = contrastWarning(row.primary_color);
    return {
      companyName: row.company_name,
      logoUrl: row.logo_url,
      logoSource: row.logo_sha256 && `${this.publicUrl}/branding/logo/${row.logo_sha256}`,
      primaryColor: row.primary_color,
      supportEmail: row.support_email,
      isInherited: row.tenant_id !== tenantId,
      warnings: warning === undefined ? [] : [warning],
    };
  }
}

/** What may be taken away: absent or null it stays, empty it goes. */
function orNone(given: string | null | undefined, own: string | null): string | null {
  return given == null ? own : given || null;
}

/** The tenant's own, or what it begins with. Whoever changes it waits for who does so already. */
async function lockOwn(em: SqlEntityManager, tenantId: string): Promise<Row> {
  await em.execute('select 1 from identity.tenant where id = ? for no key update', [tenantId]);
  const [row] = await em.execute<Row[]>(
    `select tenant_id, company_name, logo_url, primary_color, support_email, logo_sha256
     from identity.branding where tenant_id = ?`,
    [tenantId],
  );
  return row ?? initial(em, tenantId);
}

async function initial(em: SqlEntityManager, tenantId: string): Promise<Row> {
  const [tenant] = await em.execute<{ name: string }[]>('select name from identity.tenant where id = ?', [
    tenantId,
  ]);
  return {
    tenant_id: tenantId,
    company_name: tenant?.name ?? '',
    logo_url: null,
    primary_color: defaultColor,
    support_email: null,
    logo_sha256: null,
  };
}

function logoColumns(logo: Logo | undefined): (string | Buffer | null)[] {
  return logo ? [logo.sha256, logo.type, logo.content] : [null, null, null];
}
