import type { z } from 'zod';

import { ProviderApi, type ApiOptions } from '../api.js';
import type {
  Attachment,
  Catalogue,
  Created,
  Driver,
  Marks,
  Progress,
  ServerSpec,
  Session,
  Sighting,
} from '../driver.js';
import { ProviderError, unlessGone } from '../provider-error.js';
import { tryToken } from '../token-trial.js';
import { attachmentsOf } from './attachments.js';
import { catalogueOf } from './offers.js';
import { errorOf } from './refusal.js';
import { marksIn, serverTag, tagsOf, tenantTag } from './tags.js';
import * as wire from './wire.js';

const perPage = 200;
const image = 'ubuntu-24-04-x64';
/**
 * What is needed of a token whose scopes were chosen, each with a call that does nothing: a droplet has to have a size and a
 * tag a name, and nothing has these ids. Who may not make the call is told so before that.
 */
const needed: readonly { scope: string; line: string; body?: object }[] = [
  { scope: 'droplet:create', line: 'POST /droplets', body: { name: 'nothing' } },
  { scope: 'droplet:read', line: 'GET /droplets/0' },
  { scope: 'droplet:delete', line: 'DELETE /droplets/0' },
  { scope: 'actions:read', line: 'GET /actions/0' },
  { scope: 'tag:create', line: 'POST /tags', body: { name: '' } },
  { scope: 'tag:delete', line: 'DELETE /tags/qzr-none' },
  { scope: 'ssh_key:read', line: 'GET /account/keys?per_page=1' },
];

/** DigitalOcean. Any number of droplets may have one name: by their tags alone they are known to be ours. */
export class DigitalOceanDriver implements Driver {
  readonly id = 'digitalocean';
  readonly name = 'DigitalOcean';
  readonly operationsPerRequest = perPage;
  readonly settlesAfterMs = 60_000;
  readonly image = { os: 'Ubuntu', version: '24.04' };
  private readonly api: ProviderApi;

  constructor(
    options: ApiOptions,
    readonly isSandbox: boolean,
  ) {
    this.api = new ProviderApi('DigitalOcean', options, errorOf);
  }

  async verify(session: Session): Promise<void> {
    const { account } = await this.api.call(session, 'GET /account', wire.account);
    if (account.status === 'locked')
      throw new ProviderError(
        'REFUSED',
        `DigitalOcean has locked the account: ${account.status_message || 'it does not say why'}`,
      );
    for (const { scope, line, body } of needed)
      try {
        await tryToken(async () => this.api.call(session, line, wire.nothing, body));
      } catch (error) {
        if (!(error instanceof ProviderError && error.kind === 'READ_ONLY')) throw error;
        throw new ProviderError('READ_ONLY', `DigitalOcean does not let it: ${scope}`, { cause: error });
      }
  }

  async catalogue(session: Session): Promise<Catalogue> {
    const regions = await this.pages(session, '/regions', wire.regions, (page) => page.regions);
    const sizes = await this.pages(session, '/sizes', wire.sizes, (page) => page.sizes);
    return catalogueOf(regions, sizes);
  }

  async create(session: Session, spec: ServerSpec): Promise<Created> {
    const keys = spec.sshKeys.length > 0 ? await this.keysCalled(session, spec.sshKeys) : [];
    const made = await this.api.call(session, 'POST /droplets', wire.created, {
      name: spec.name,
      region: spec.location,
      size: spec.size,
      image,
      ssh_keys: keys,
      tags: tagsOf(spec.marks),
      user_data: spec.userData,
    });
    return { seen: seen(made.droplet), operationIds: made.links.actions.map(({ id }) => String(id)) };
  }

  async find(session: Session, marks: Marks): Promise<Sighting | undefined> {
    const found = await this.tagged(session, serverTag(marks));
    return found
      .filter((each) => each.marks?.panel === marks.panel && each.marks.tenant === marks.tenant)
      .toSorted((a, b) => Number(a.providerId) - Number(b.providerId))[0];
  }

  async read(session: Session, providerId: string): Promise<Sighting | undefined> {
    return unlessGone(async () => {
      const { droplet } = await this.api.call(session, `GET /droplets/${providerId}`, wire.oneDroplet);
      return seen(droplet);
    });
  }

  /** All actions of an account are one list, the newest first: those of servers under way are at its beginning. */
  async progress(session: Session, operationIds: readonly string[]): Promise<Map<string, Progress>> {
    const found = new Map<string, Progress>();
    const wanted = new Set(operationIds);
    const most = Math.ceil(wanted.size / perPage) + 1;
    for (let page = 1; page <= most && found.size < wanted.size; page += 1) {
      const line = `GET /actions?page=${page}&per_page=${perPage}`;
      const { actions, links } = await this.api.call(session, line, wire.actions);
      for (const { id, status } of actions)
        if (wanted.has(String(id))) found.set(String(id), progressOf(status));
      if (links?.pages?.next === undefined) break;
    }
    return found;
  }

  async list(session: Session, mark: Omit<Marks, 'server'>): Promise<Sighting[]> {
    const found = await this.tagged(session, tenantTag(mark));
    return found.filter(({ marks }) => marks?.panel === mark.panel && marks.tenant === mark.tenant);
  }

  async attachments(session: Session, providerId: string): Promise<Attachment[]> {
    return attachmentsOf(this.api, session, providerId);
  }

  /** Nothing is told of how far it is: the droplet is listed until it is gone. */
  async remove(session: Session, providerId: string): Promise<string[] | undefined> {
    return unlessGone(async () => {
      await this.api.call(session, `DELETE /droplets/${providerId}`, wire.nothing);
      return [];
    });
  }

  async forget(session: Session, marks: Marks): Promise<void> {
    await unlessGone(() => this.api.call(session, `DELETE /tags/${serverTag(marks)}`, wire.nothing));
  }

  private async keysCalled(session: Session, names: readonly string[]): Promise<number[]> {
    const keys = await this.pages(session, '/account/keys', wire.keys, (page) => page.ssh_keys);
    return names.map((name) => {
      const key = keys.find((each) => each.name === name);
      if (!key) throw new ProviderError('REFUSED', `DigitalOcean has no SSH key ${name} in this account`);
      return key.id;
    });
  }

  private async tagged(session: Session, tag: string): Promise<Sighting[]> {
    const path = `/droplets?tag_name=${encodeURIComponent(tag)}`;
    return (await this.pages(session, path, wire.droplets, ({ droplets }) => droplets)).map(seen);
  }

  private async pages<Schema extends z.ZodType<{ links?: unknown }>, Item>(
    session: Session,
    path: string,
    schema: Schema,
    itemsOf: (page: z.infer<Schema>) => Item[],
  ): Promise<Item[]> {
    const items: Item[] = [];
    for (let page = 1, isMore = true; isMore; page += 1) {
      const line = `GET ${path}${path.includes('?') ? '&' : '?'}page=${page}&per_page=${perPage}`;
      const answer: z.infer<Schema> = await this.api.call(session, line, schema);
      items.push(...itemsOf(answer));
      const links = answer.links as { pages?: { next?: string } } | undefined;
      isMore = links?.pages?.next !== undefined;
    }
    return items;
  }
}

function progressOf(status: 'in-progress' | 'completed' | 'errored'): Progress {
  const state = ({ 'in-progress': 'running', completed: 'done', errored: 'failed' } as const)[status];
  const isFailed = state === 'failed';
  return {
    state,
    percent: 0,
    message: isFailed ? 'DigitalOcean does not say why' : null,
    code: isFailed ? 'errored' : null,
  };
}

function seen({
  id,
  name,
  status,
  created_at: created,
  tags,
  networks,
  size_slug: size,
  region,
}: z.infer<typeof wire.droplet>): Sighting {
  return {
    providerId: String(id),
    name,
    marks: marksIn(tags),
    isRunning: status === 'active',
    isGoing: false,
    ipAddress: networks.v4.find(({ type }) => type === 'public')?.ip_address ?? null,
    size: size ?? null,
    location: region?.slug ?? null,
    createdAt: new Date(created),
  };
}
