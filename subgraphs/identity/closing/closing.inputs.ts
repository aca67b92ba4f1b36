import { Field, InputType, ObjectType } from 'type-graphql';

@InputType({ description: 'What it takes to close an organization: that whoever asks proves who they are.' })
export class CloseOrganizationInput {
  @Field(() => String, { description: 'VALIDATION_FAILED when it is wrong.' })
  currentPassword!: string;

  @Field(() => String, {
    nullable: true,
    description:
      "A one-time or recovery code, where the viewer's codes are on. VALIDATION_FAILED without it, and when it is wrong or was used.",
  })
  code?: string | null;
}

@InputType({ description: 'The link that was mailed when the organization was closed.' })
export class RestoreOrganizationInput {
  @Field(() => String, {
    description: 'The token of the link; works once, until the organization is erased.',
  })
  token!: string;
}

@ObjectType({ description: 'The answer to a closing that was taken back.' })
export class RestoreOrganizationPayload {
  @Field(() => String, { description: 'The name of the organization.' })
  name!: string;
}
