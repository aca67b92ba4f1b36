import { Field, ID, Int, ObjectType } from 'type-graphql';

@ObjectType({ description: 'What a partner comes to by the instances of its customers.' })
export class PartnerTier {
  @Field(() => ID, { description: 'Starts with `tier_`.' })
  id!: string;

  @Field(() => String, { description: 'What it is called.' })
  name!: string;

  @Field(() => Int, { description: 'How much less customers pay, in percent.' })
  discountPercent!: number;

  @Field(() => Int, { description: 'From how many instances on.' })
  minInstances!: number;

  @Field(() => [String], { description: 'What else it includes.' })
  features!: readonly string[];
}

@ObjectType({ description: 'How far a partner is from another tier.' })
export class PartnerOutlook {
  @Field(() => PartnerTier, { nullable: true, description: 'The tier above; null at the top.' })
  nextTier!: PartnerTier | null;

  @Field(() => Int, { nullable: true, description: 'How many more instances make it; null at the top.' })
  instancesMissing!: number | null;

  @Field(() => PartnerTier, {
    nullable: true,
    description:
      'The tier below, which it would have with one instance less than it can spare; null for none.',
  })
  lowerTier!: PartnerTier | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many instances may leave before its tier is lost; null when there is none to lose.',
  })
  instancesToSpare!: number | null;
}
