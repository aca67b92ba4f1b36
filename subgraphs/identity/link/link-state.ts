import { ArgsType, Field, registerEnumType } from 'type-graphql';

export enum LinkKind {
  SETUP = 'SETUP',
  EMAIL_VERIFICATION = 'EMAIL_VERIFICATION',
  EMAIL_CHANGE = 'EMAIL_CHANGE',
  PASSWORD_RESET = 'PASSWORD_RESET',
  INVITATION = 'INVITATION',
  ORGANIZATION_RESTORE = 'ORGANIZATION_RESTORE',
}

registerEnumType(LinkKind, {
  name: 'LinkKind',
  description: 'What a one-time link is for.',
  valuesConfig: {
    SETUP: { description: 'Makes the first platform administrator.' },
    EMAIL_VERIFICATION: { description: 'Proves an e-mail address.' },
    EMAIL_CHANGE: { description: 'Puts a new e-mail address in force.' },
    PASSWORD_RESET: { description: 'Chooses a new password.' },
    INVITATION: { description: 'Joins a tenant.' },
    ORGANIZATION_RESTORE: { description: 'Takes the closing of an organization back.' },
  },
});

export enum LinkState {
  OPEN = 'OPEN',
  USED = 'USED',
  EXPIRED = 'EXPIRED',
  UNKNOWN = 'UNKNOWN',
}

registerEnumType(LinkState, {
  name: 'LinkState',
  description: 'Whether a one-time link still works.',
  valuesConfig: {
    OPEN: { description: 'It works.' },
    USED: { description: 'It was used, or a newer one or what it was for has ended it.' },
    EXPIRED: { description: 'Its time is over.' },
    UNKNOWN: { description: 'There is no such link, or it was forgotten since.' },
  },
});

@ArgsType()
export class LinkArgs {
  @Field(() => LinkKind, { description: 'What the link is for.' })
  kind!: LinkKind;

  @Field(() => String, { description: 'The token in the link.' })
  token!: string;
}
