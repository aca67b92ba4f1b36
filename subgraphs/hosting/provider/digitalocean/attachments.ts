import type { ProviderApi } from '../api.js';
import { AttachmentKind, type Attachment, type Session } from '../driver.js';
import { unlessGone } from '../provider-error.js';
import * as wire from './wire.js';

/**
 * What DigitalOcean keeps of a droplet that is destroyed, and goes on charging for. It names what the token's scopes let it
 * name; of volumes that these hide the ids are known all the same. Addresses are told twice, by two names for the same.
 */
export async function attachmentsOf(
  api: ProviderApi,
  session: Session,
  providerId: string,
): Promise<Attachment[]> {
  const path = `/droplets/${providerId}`;
  const found = await unlessGone(async () => ({
    droplet: await api.call(session, `GET ${path}`, wire.oneDroplet),
    told: await api.call(session, `GET ${path}/destroy_with_associated_resources`, wire.resources),
  }));
  if (!found) return [];
  const { volumes, snapshots, volume_snapshots, reserved_ips, floating_ips } = found.told;
  const hidden = found.droplet.droplet.volume_ids.map((id) => ({ id, name: id }));
  const of = (kind: AttachmentKind, resources: readonly { id: string; name: string }[]) =>
    resources.map(({ id, name }): Attachment => ({ kind, providerId: id, name }));
  const all = [
    ...of(AttachmentKind.VOLUME, [...volumes, ...hidden]),
    ...of(AttachmentKind.ADDRESS, [...reserved_ips, ...floating_ips]),
    ...of(AttachmentKind.SNAPSHOT, [...snapshots, ...volume_snapshots]),
  ];
  const first = new Map(all.toReversed().map((each) => [`${each.kind} ${each.providerId}`, each]));
  return all.filter((each) => first.get(`${each.kind} ${each.providerId}`) === each);
}
