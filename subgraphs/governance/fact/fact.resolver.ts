import { Authorized, Field, Int, ObjectType, Query, registerEnumType, Resolver } from 'type-graphql';

import { comparers, typesOf } from '../rule/rule.js';
import { catalogue, catalogueVersion, type FactKind as Described } from './fact.catalogue.js';

export enum FactValueType {
  BOOLEAN = 'BOOLEAN',
  NUMBER = 'NUMBER',
  TEXT = 'TEXT',
  VERSION = 'VERSION',
  TIME = 'TIME',
  LIST = 'LIST',
  ANY = 'ANY',
}

registerEnumType(FactValueType, {
  name: 'FactValueType',
  description: "What a fact's value is.",
  valuesConfig: {
    BOOLEAN: { description: 'True or false.' },
    NUMBER: { description: 'A number.' },
    TEXT: { description: 'Text.' },
    VERSION: {
      description:
        'A version in text, compared part by part: `22.04` is below `22.10`, and `1.2.0-rc.1` below `1.2.0`.',
    },
    TIME: { description: 'A time in text, by RFC 3339.' },
    LIST: { description: 'A list of texts.' },
    ANY: { description: 'Whatever it comes as: true or false, a number or text.' },
  },
});

export enum FactSource {
  NODE = 'NODE',
  PANEL = 'PANEL',
  ACTION = 'ACTION',
  METRICS = 'METRICS',
}

registerEnumType(FactSource, {
  name: 'FactSource',
  description: 'Who says it.',
  valuesConfig: {
    NODE: {
      description: 'The node, with its beats; not believed any more when it has been silent for a day.',
    },
    PANEL: { description: 'The panel.' },
    ACTION: { description: 'Whoever is about to do something; known at admission only.' },
    METRICS: {
      description:
        'What beats measure. Once a policy is about any (a disabled one too), it is brought up to date every 5 minutes; what is older than 15 minutes is unknown.',
    },
  },
});

@ObjectType({ description: 'Something that policies may be about.' })
export class FactKind {
  @Field(() => String, { description: 'Its path; one that ends in `.*` stands for every path below.' })
  path!: string;

  @Field(() => FactValueType, { description: 'What its value is.' })
  type!: FactValueType;

  @Field(() => String, { description: 'What it says.' })
  description!: string;

  @Field(() => String, { nullable: true, description: 'What a number counts; null of others.' })
  unit!: string | null;

  @Field(() => FactSource, { description: 'Who says it.' })
  source!: FactSource;

  @Field(() => [String], { description: 'The operators that compare it.' })
  operators!: string[];
}

@ObjectType({ description: 'The facts that policies may be about.' })
export class FactCatalogue {
  @Field(() => Int, { description: 'Goes up with each change of the list.' })
  version!: number;

  @Field(() => [FactKind], { description: 'All of them.' })
  facts!: FactKind[];
}

const described: FactCatalogue = {
  version: catalogueVersion,
  facts: catalogue.map(({ path, type, description, unit, source }: Described) => ({
    path,
    type: FactValueType[type.toUpperCase() as keyof typeof FactValueType],
    description,
    unit: unit ?? null,
    source: FactSource[source.toUpperCase() as keyof typeof FactSource],
    operators: comparers.filter((operator) => typesOf[operator].includes(type)),
  })),
};

@Resolver()
export class FactResolver {
  @Authorized('governance.policy.read')
  @Query(() => FactCatalogue, { description: 'What policies may be about.' })
  factKinds(): FactCatalogue {
    return described;
  }
}
