import { buildSchema } from 'graphql';

/** A small API that has one of everything the REST machine has a rule for. */
export const boxSchema = buildSchema(/* GraphQL */ `
  scalar DateTime
  scalar JSONObject

  type Query {
    box(id: ID!): Box!
    boxes(first: Int, after: String, filter: BoxFilter): BoxPage!
    things(kind: String!): [Thing!]!
    thingsNote: String
  }

  type Mutation {
    packBox(input: PackBoxInput!): Box!
    changeBox(id: ID!, input: ChangeBoxInput!): Box!
    dropBox(id: ID!): Box!
    sealBoxes: Boolean!
    exchangeCode(input: ExchangeCodeInput!): Token!
  }

  enum Colour {
    RED
    LIGHT_BLUE
  }

  interface Thing {
    id: ID!
    colour: Colour!
  }

  type Box implements Thing {
    id: ID!
    name: String!
    colour: Colour!
    madeAt: DateTime
    openedAt: DateTime
    facts: JSONObject
    maker: Maker
    parts: [Part!]
  }

  type Ball implements Thing {
    id: ID!
    colour: Colour!
    bounces: Boolean!
  }

  type Maker {
    name: String!
    colour: Colour
  }

  type Part {
    name: String!
    colours: [Colour]!
    brokenAt: DateTime
  }

  type BoxPage {
    nodes: [Box!]!
    pageInfo: PageInfo!
    totalCount: Int!
    ageSeconds: Int
  }

  type PageInfo {
    endCursor: String
    hasNextPage: Boolean!
  }

  input BoxFilter {
    colour: Colour
    heavy: Boolean
    minWeight: Float
    tags: [String!]
  }

  input PackBoxInput {
    name: String!
    maxUses: Int
    weight: Float
    colour: Colour
    fragile: Boolean
    openAt: DateTime
    tags: [String!]
    facts: JSONObject
    parts: [PartInput!]
    lid: LidInput
  }

  input LidInput @oneOf {
    hinge: String
    latchName: String
  }

  input PartInput {
    name: String!
    colour: Colour!
    netRxBytes: Float
    parts: [PartInput!]
  }

  input ChangeBoxInput {
    name: String
    weight: Float
  }

  input ExchangeCodeInput {
    grantType: String!
    code: String!
    retries: Int
  }

  type Token {
    accessToken: String!
    expiresIn: Int!
  }
`);
