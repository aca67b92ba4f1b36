import type { z } from 'zod';

import { ProviderApi, type ApiOptions } from '../api.js';
import type {
  Attachment,
  Catalogue,
  Created,
  Driver,
  Marks,
  PlaceOffer,
  Progress,
  ServerSpec,
  Session,
  Sighting,
} from '../driver.js';
import { unlessGone } from '../provider-error.js';
import { tryToken } from '../token-trial.js';
import { attachmentsOf } from './attachments.js';
import { errorOf } from './refusal.js';
import * as wire from './wire.js';

const perPage = 50;
const image = 'ubuntu-24.04';
const labelOf = { panel: 'qzr-panel', tenant: 'qzr-tenant', server: 'qzr-server' } as const;

/** Hetzner Cloud. Names of servers are unique in a project, which is why one name is one server there. */
export class HetznerDriver implements Driver {
  readonly id = 'hetzner';
  readonly name = 'Hetzner Cloud';
  readonly operationsPerRequest = perPage;
  readonly settlesAfterMs = 0;
  readonly image = { os: 'Ubuntu', version: '24.04' };
  private readonly api: ProviderApi;

  constructor(
    options: ApiOptions,
    readonly isSandbox: boolean,
  ) {
    this.api = new ProviderApi('Hetzner', options, errorOf);
  }

  async verify(session: Session): Promise<void> {
    // Nothing has this id: whoever may delete is told so, in whatever words, and others that they may not.
    await tryToken(async () => this.api.call(session, 'DELETE /ssh_keys/0', wire.deleted));
  }

  async catalogue(session: Session): Promise<Catalogue> {
    const { pricing } = await this.api.call(session, 'GET /pricing', wire.pricing);
    const places = await this.pages(session, '/locations', wire.locations, ({ locations }) => locations);
    const types = await this.pages(session, '/server_types', wire.serverTypes, (page) => page.server_types);
    return {
      currency: pricing.currency,
      regions: places.map(({ name, description, country, city, network_zone: zone }) => ({
        id: name,
        name: description,
        zone,
        country,
        city,
      })),
      sizes: types.map(({ name, description, cores, memory, disk, architecture, ...type }) => ({
        id: name,
        name: description,
        vcpus: cores,
        memoryGb: memory,
        diskGb: disk,
        architecture,
        places: placesOf(type),
      })),
      addresses: pricing.primary_ips
        .filter(({ type }) => type === 'ipv4')
        .flatMap(({ prices }) => prices.map(placePrice)),
    };
  }

  async create(session: Session, spec: ServerSpec): Promise<Created> {
    const made = await this.api.call(session, 'POST /servers', wire.created, {
      name: spec.name,
      server_type: spec.size,
      location: spec.location,
      image,
      labels: labelsOf(spec.marks),
      ...(spec.sshKeys.length > 0 ? { ssh_keys: spec.sshKeys } : {}),
      user_data: spec.userData,
      // Its address is paid for apart.
      public_net: { enable_ipv4: true, enable_ipv6: true },
      start_after_create: true,
    });
    const operationIds = [made.action, ...made.next_actions].map(({ id }) => String(id));
    return { seen: seen(made.server), operationIds };
  }

  async find(session: Session, marks: Marks): Promise<Sighting | undefined> {
    const found = await this.select(session, labelsOf(marks));
    return found.toSorted((a, b) => Number(a.providerId) - Number(b.providerId))[0];
  }

  async read(session: Session, providerId: string): Promise<Sighting | undefined> {
    return unlessGone(async () => {
      const { server } = await this.api.call(session, `GET /servers/${providerId}`, wire.oneServer);
      return seen(server);
    });
  }

  async progress(session: Session, operationIds: readonly string[]): Promise<Map<string, Progress>> {
    const found = new Map<string, Progress>();
    for (let from = 0; from < operationIds.length; from += perPage) {
      const query = operationIds.slice(from, from + perPage).map((id) => `id=${id}`);
      const line = `GET /actions?${query.join('&')}&per_page=${perPage}`;
      const { actions } = await this.api.call(session, line, wire.actions);
      for (const { id, status, progress, error } of actions)
        found.set(String(id), {
          state: status === 'running' ? 'running' : status === 'success' ? 'done' : 'failed',
          percent: progress,
          message: error?.message ?? null,
          code: error?.code ?? null,
        });
    }
    return found;
  }

  async list(session: Session, { panel, tenant }: Omit<Marks, 'server'>): Promise<Sighting[]> {
    return this.select(session, { [labelOf.panel]: panel, [labelOf.tenant]: tenant });
  }

  async attachments(session: Session, providerId: string): Promise<Attachment[]> {
    return attachmentsOf(this.api, session, providerId);
  }

  async remove(session: Session, providerId: string): Promise<string[] | undefined> {
    return unlessGone(async () => {
      const { action } = await this.api.call(session, `DELETE /servers/${providerId}`, wire.deleted);
      return action ? [String(action.id)] : [];
    });
  }

  private async select(session: Session, labels: Record<string, string>): Promise<Sighting[]> {
    const selector = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    const path = `/servers?label_selector=${encodeURIComponent(selector.join(','))}&sort=id:asc`;
    return (await this.pages(session, path, wire.servers, ({ servers }) => servers)).map(seen);
  }

  private async pages<Schema extends z.ZodType<{ meta?: unknown }>, Item>(
    session: Session,
    path: string,
    schema: Schema,
    itemsOf: (page: z.infer<Schema>) => Item[],
  ): Promise<Item[]> {
    const items: Item[] = [];
    for (let page: number | null = 1; page !== null;) {
      const line = `GET ${path}${path.includes('?') ? '&' : '?'}page=${page}&per_page=${perPage}`;
      const answer: z.infer<Schema> = await this.api.call(session, line, schema);
      items.push(...itemsOf(answer));
      const meta = answer.meta as { pagination: { next_page: number | null } } | undefined;
      page = meta?.pagination.next_page ?? null;
    }
    return items;
  }
}

function labelsOf(marks: Marks): Record<string, string> {
  const { panel, tenant, server } = marks;
  return { [labelOf.panel]: panel, [labelOf.tenant]: tenant, [labelOf.server]: server };
}

function seen({
  id,
  name,
  status,
  created,
  labels,
  public_net: net,
  server_type: type,
  location,
}: z.infer<typeof wire.server>): Sighting {
  const { [labelOf.panel]: panel, [labelOf.tenant]: tenant, [labelOf.server]: server } = labels;
  const isOurs = panel !== undefined && tenant !== undefined && server !== undefined;
  return {
    providerId: String(id),
    name,
    marks: isOurs ? { panel, tenant, server } : null,
    isRunning: status === 'running',
    isGoing: status === 'deleting',
    ipAddress: net.ipv4?.ip ?? null,
    size: type?.name ?? null,
    location: location?.name ?? null,
    createdAt: new Date(created),
  };
}

type Type = Pick<
  z.infer<typeof wire.serverTypes>['server_types'][number],
  'prices' | 'locations' | 'deprecation'
>;

function placesOf({ prices, locations, deprecation }: Type): PlaceOffer[] {
  return prices.flatMap((price) => {
    const place = locations?.find(({ name }) => name === price.location);
    if (locations && !place) return [];
    return [
      {
        isAvailable: place?.available ?? true,
        endsAt: (place?.deprecation ?? deprecation)?.unavailable_after ?? null,
        ...placePrice(price),
      },
    ];
  });
}

function placePrice({
  location: region,
  price_hourly: hourly,
  price_monthly: monthly,
}: Type['prices'][number]) {
  return { region, priceHourly: Number(hourly.net), priceMonthly: Number(monthly.net) };
}
