import { deepestData } from '#platform/client-data.js';

/** What a client's document may cost before it is planned. Our own documents (trusted) are not measured. */
export interface DocumentLimits {
  /** Characters of the text, looked at before anything else. */
  characters: number;
  tokens: number;
  /** Levels of fields, with fragments followed. */
  depth: number;
  /** The same under `__schema` and `__type`; the standard introspection query has 13. */
  introspectionDepth: number;
  /** `__schema` and `__type` fields: each is executed on its own. */
  introspections: number;
  /** Lists below them; the standard introspection query has 9. Each may go through the whole schema once more. */
  introspectionLists: number;
  /** Of lists of types and of their fields in each other: with each level the answer grows by the size of a type. */
  introspectionListDepth: number;
  /** Fields at the root, with fragments followed: each is a call of a subgraph. */
  rootFields: number;
  /** All fields, with fragments followed as often as they are spread. */
  fields: number;
  aliases: number;
  directives: number;
  fragments: number;
  variables: number;
  /** Of which one is run; each is checked. */
  operations: number;
  /** Of lists and objects in each other in an argument, as in JSON. */
  valueDepth: number;
  /** Entries of lists in an answer, if all pages are full. Looked at with the variables of each request. */
  nodes: number;
  /** Fields repeated under one response name within a selection set: comparing them grows with the square. */
  repeats: number;
}

/** Several times what the largest documents of a dashboard need, and refused in about a millisecond. */
export const defaultLimits: DocumentLimits = {
  characters: 50_000,
  tokens: 2_000,
  depth: 15,
  introspectionDepth: 20,
  introspections: 4,
  introspectionLists: 12,
  introspectionListDepth: 2,
  rootFields: 20,
  fields: 1_000,
  aliases: 50,
  directives: 50,
  fragments: 30,
  variables: 100,
  operations: 20,
  valueDepth: deepestData,
  nodes: 100_000,
  repeats: 20,
};

/**
 * For whoever is not signed in, to whom only signing in and the schema are open: several times what these need. What is
 * longer is not looked at for them.
 */
export const strangerLimits: Partial<DocumentLimits> = {
  characters: 8_000,
  tokens: 400,
  rootFields: 5,
  fields: 120,
  aliases: 10,
  fragments: 10,
  variables: 30,
  operations: 5,
};
