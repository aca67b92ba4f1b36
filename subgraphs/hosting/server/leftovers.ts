import { Field, ObjectType, registerEnumType } from 'type-graphql';

import { AttachmentKind, type Attachment } from '../provider/driver.js';

registerEnumType(AttachmentKind, {
  name: 'ServerLeftoverKind',
  description: 'What stays at a provider when a server is deleted.',
  valuesConfig: {
    VOLUME: { description: 'A disk of its own.' },
    ADDRESS: { description: 'A public IPv4 address that is kept.' },
    SNAPSHOT: { description: 'An image of the server or of a volume.' },
  },
});

@ObjectType({
  description:
    'Something that was attached to a server at its provider, and that is there still once the server is not.',
})
export class ServerLeftover implements Attachment {
  @Field(() => AttachmentKind, { description: 'What it is.' })
  kind!: AttachmentKind;

  @Field(() => String, { description: 'The id that it has at its provider.' })
  providerId!: string;

  @Field(() => String, {
    description: 'Its name there, or its address; its id where the token does not show that.',
  })
  name!: string;
}

/** A machine has some volumes, and snapshots of many years at the most. */
const most = 100;

const keyOf = ({ kind, providerId }: Attachment): string => `${kind} ${providerId}`;

/** What is known to stay, with what is seen now: what was detached meanwhile stays as well. */
export function withLeftovers(known: readonly Attachment[], seen: readonly Attachment[]): Attachment[] {
  const keys = new Set(known.map(keyOf));
  return [...known, ...seen.filter((each) => !keys.has(keyOf(each)))].slice(0, most);
}

const words: Readonly<Record<AttachmentKind, string>> = {
  [AttachmentKind.VOLUME]: 'volume',
  [AttachmentKind.ADDRESS]: 'address',
  [AttachmentKind.SNAPSHOT]: 'snapshot',
};
const mostTold = 5;

/** Why a server that is deleted is not quite over, for programs and for people; nothing where all of it is gone. */
export function leftoverReason(leftovers: readonly Attachment[]): {
  reason: string | null;
  message: string | null;
} {
  if (leftovers.length === 0) return { reason: null, message: null };
  const told = leftovers.slice(0, mostTold).map(({ kind, name }) => `${words[kind]} ${name}`);
  const more = leftovers.length > mostTold ? `, and ${leftovers.length - mostTold} more` : '';
  return {
    reason: 'LEFTOVERS',
    message: `What was attached to it is at the provider still, and goes on costing: ${told.join(', ')}${more}`,
  };
}
