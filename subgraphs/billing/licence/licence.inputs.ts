import { ArgsType, Field, InputType, ObjectType, registerEnumType } from 'type-graphql';

import { PageArgs } from '#platform/subgraph/paging.js';

import { Licence, LicenceStatus } from './licence.entity.js';

@InputType({ description: 'Which licences to list.' })
export class LicenceFilter {
  @Field(() => LicenceStatus, { nullable: true, description: 'Only those that hold, or that have ended.' })
  status?: LicenceStatus | null;
}

@ArgsType()
export class LicencesArgs extends PageArgs {
  @Field(() => LicenceFilter, { nullable: true, description: 'Which; all unless told.' })
  filter?: LicenceFilter | null;
}

@InputType({ description: 'A licence to be judged.' })
export class ValidateLicenceInput {
  @Field(() => String, { description: 'The licence, as it is signed.' })
  key!: string;

  // No ID: whoever is shown a licence asks about a node that need not be one of their own.
  @Field(() => String, {
    nullable: true,
    description: 'The id of the node that shows it; left out, any will do.',
  })
  instanceId?: string | null;
}

export enum LicenceCode {
  VALID = 'VALID',
  EXPIRED = 'EXPIRED',
  SUPERSEDED = 'SUPERSEDED',
  FREED = 'FREED',
  OVERDUE = 'OVERDUE',
  WRONG_INSTANCE = 'WRONG_INSTANCE',
  UNKNOWN = 'UNKNOWN',
  SIGNATURE_INVALID = 'SIGNATURE_INVALID',
}

registerEnumType(LicenceCode, {
  name: 'LicenceCode',
  description: 'What there is to say of a licence; the first that applies, from the last to the first.',
  valuesConfig: {
    VALID: { description: 'It holds.' },
    EXPIRED: { description: 'Its time is over.' },
    SUPERSEDED: { description: 'It was issued anew since, with another plan or a later end.' },
    FREED: { description: 'Its node has left the fleet.' },
    OVERDUE: {
      description: "It holds, but the tenant's payment is overdue, and it is not renewed until that is made.",
    },
    WRONG_INSTANCE: { description: 'It is of another node.' },
    UNKNOWN: { description: 'It is none of this tenant.' },
    SIGNATURE_INVALID: { description: 'It was altered, or not made by this panel.' },
  },
});

@ObjectType({ description: 'What there is to say of a licence.' })
export class LicenceValidation {
  @Field(() => LicenceCode, { description: 'In one word.' })
  code!: LicenceCode;

  @Field(() => Boolean, { description: 'Whether the node may act by it.' })
  isValid!: boolean;

  @Field(() => Licence, {
    nullable: true,
    description: 'The licence as it is now; null when it is none of this tenant.',
  })
  licence!: Licence | null;
}
