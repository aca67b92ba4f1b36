import type { MadeServer } from '../server/live-servers.service.js';
import type { Driver, Marks, Session } from './driver.js';
import { ProviderError } from './provider-error.js';

/** Servers that are asked for one by one when the list by marks has none of them. */
const mostReads = 20;

export interface Project {
  driver: Driver;
  mark: Omit<Marks, 'server'>;
  made: readonly MadeServer[];
}

/**
 * What a new token means for servers that were made with the one before: `same` when it shows any of them, since a token
 * shows one project; `nothing left` when the one before, which still works, shows none of them either; `other` otherwise.
 */
export async function compareProjects(
  project: Project,
  token: Session,
  before: Session | undefined,
): Promise<'same' | 'nothing left' | 'other'> {
  const { made } = project;
  if (made.length === 0) return 'nothing left';
  if (await showsAny(project, token)) return 'same';
  const isTold = made.length <= mostReads && made.every(({ providerId }) => providerId !== null);
  if (!before || !isTold) return 'other';
  try {
    return (await showsAny(project, before)) ? 'other' : 'nothing left';
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'UNAUTHORIZED') return 'other';
    throw error;
  }
}

async function showsAny(project: Project, session: Session): Promise<boolean> {
  for await (const _ of shownBy(project, session)) return true;
  return false;
}

/** Of servers that are known, the ids of those that a token shows. */
export async function shownServers(project: Project, session: Session): Promise<string[]> {
  const shown: string[] = [];
  for await (const id of shownBy(project, session)) shown.push(id);
  return shown;
}

async function* shownBy({ driver, mark, made }: Project, session: Session): AsyncGenerator<string, void> {
  const listed = await driver.list(session, mark);
  const marked = new Set(listed.flatMap(({ marks }) => marks?.server ?? []));
  for (const { id } of made) if (marked.has(id)) yield id;
  // Its marks are of the panel's address, and people may take them away.
  const others = made.filter(({ id, providerId }) => providerId !== null && !marked.has(id));
  for (const { id, providerId } of others.slice(0, mostReads))
    if (await driver.read(session, providerId!)) yield id;
}
