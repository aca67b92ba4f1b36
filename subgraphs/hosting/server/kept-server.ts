import { Server } from './server.entity.js';

/** What is kept of an answer under an idempotency key: the server as it was then, without what is sealed. */
export type KeptServer = Omit<Server, 'sealedToken'>;

/** What versions before kept, which answered the server as it is. */
export interface KeptId {
  id: string;
}

const times = [
  'phaseAt',
  'lastCallAt',
  'callingUntil',
  'dueAt',
  'drainUntil',
  'missingSince',
  'createdAt',
  'billedFrom',
  'billedTo',
  'readyAt',
  'deletedAt',
] as const satisfies readonly (keyof KeptServer)[];

export function toKept(server: Server): KeptServer {
  const { sealedToken: _sealed, ...kept } = server;
  return kept;
}

/** Out of JSON times come as text. */
export function fromKept(kept: KeptServer): Server {
  const given = times.flatMap((name) => (kept[name] ? [[name, new Date(kept[name])]] : []));
  // Of versions that did not know of them.
  const leftovers = (kept as Partial<KeptServer>).leftovers ?? [];
  return Object.assign(new Server(), kept, { sealedToken: null, leftovers }, Object.fromEntries(given));
}
