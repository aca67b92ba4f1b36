import { Field, InputType, ObjectType } from 'type-graphql';

@InputType({ description: 'The link that was mailed.' })
export class VerifyEmailInput {
  @Field(() => String, { description: 'The token of the link that was mailed; works once, for 24 hours.' })
  token!: string;
}

@InputType({ description: 'The link that was mailed to a new address.' })
export class ConfirmEmailChangeInput {
  @Field(() => String, { description: 'The token of the link; works once, for 24 hours.' })
  token!: string;
}

@ObjectType({ description: 'The answer to a verified e-mail address.' })
export class VerifyEmailPayload {
  @Field(() => String, { description: 'The address.' })
  email!: string;

  @Field(() => Boolean, { description: 'True: the address is verified now.' })
  emailVerified!: boolean;
}
