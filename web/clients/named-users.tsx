import type { NamedUserFragment } from '../generated/graphql.ts';
import { textOf, wordsIn } from '../parts/form.ts';

interface NamedUsersProps {
  userIds: readonly string[] | null;
  /** Null for whoever is not shown them. */
  users: readonly NamedUserFragment[] | null;
}

/** For whom of the provider it is, where it is not for all. */
export function NamedUsers({ userIds, users }: NamedUsersProps) {
  if (userIds === null) return null;
  return <p>{wordsFor(userIds, users)}</p>;
}

function wordsFor(userIds: readonly string[], users: NamedUsersProps['users']): string {
  if (users === null) return userIds.length === 1 ? 'Only for one user' : `Only for ${userIds.length} users`;
  if (users.length === 0) return 'For nobody any more: who was named has left the provider.';
  return `Only for ${users.map(({ name, email }) => `${name} (${email})`).join(', ')}`;
}

/** The addresses of those who are named, as a field has them; nothing where it is for all. */
export const emailsOf = (users: NamedUsersProps['users']): string =>
  (users ?? []).map(({ email }) => email).join(', ');

/** The addresses that were filled in; null for all where there are none. */
export function emailsIn(form: FormData): string[] | null {
  const emails = wordsIn(textOf(form, 'userEmails'));
  return emails.length === 0 ? null : emails;
}
