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

async function showsAny({ driver, mark, made }: Project, session: Session): Promise<boolean> {
  const listed = await driver.list(session, mark);
  const ids = new Set(made.map(({ id }) => id));
  if (listed.some(({ marks }) => marks !== null && ids.has(marks.server))) return true;
  // Its marks are of the panel's address, and people may take them away.
  for (const { providerId } of made.filter((each) => each.providerId !== null).slice(0, mostReads))
    if (await driver.read(session, providerId!)) return true;
  return false;
}
