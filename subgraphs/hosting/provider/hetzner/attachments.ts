import type { ProviderApi } from '../api.js';
import { AttachmentKind, type Attachment, type Session } from '../driver.js';
import { unlessGone } from '../provider-error.js';
import * as wire from './wire.js';

/**
 * What Hetzner detaches from a server that is deleted, and goes on charging for: volumes, floating IPv4 addresses, and the
 * primary one unless it goes with its server. IPv6 costs nothing. Snapshots are told of no server, and are left out.
 */
export async function attachmentsOf(
  api: ProviderApi,
  session: Session,
  providerId: string,
): Promise<Attachment[]> {
  const found = await unlessGone(() => api.call(session, `GET /servers/${providerId}`, wire.oneServer));
  if (!found) return [];
  const { volumes, public_net: net } = found.server;
  const attachments: Attachment[] = [];
  const add = (kind: AttachmentKind, id: number, name: string) =>
    attachments.push({ kind, providerId: String(id), name });
  for (const id of volumes) {
    const known = await unlessGone(() => api.call(session, `GET /volumes/${id}`, wire.volume));
    if (known) add(AttachmentKind.VOLUME, id, known.volume.name);
  }
  for (const id of net.floating_ips) {
    const known = await unlessGone(() => api.call(session, `GET /floating_ips/${id}`, wire.floatingIp));
    if (known?.floating_ip.type === 'ipv4') add(AttachmentKind.ADDRESS, id, known.floating_ip.ip);
  }
  const id = net.ipv4?.id;
  if (id === undefined) return attachments;
  const known = await unlessGone(() => api.call(session, `GET /primary_ips/${id}`, wire.primaryIp));
  if (known && !known.primary_ip.auto_delete) add(AttachmentKind.ADDRESS, id, known.primary_ip.ip);
  return attachments;
}
