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
  /** Fields at the root, with fragments followed: each is a call of a subgraph. */
  rootFields: number;
  /** All fields, with fragments followed as often as they are spread. */
  fields: number;
  aliases: number;
  directives: number;
  fragments: number;
  variables: number;
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
  rootFields: 20,
  fields: 1_000,
  aliases: 50,
  directives: 50,
  fragments: 30,
  variables: 100,
  repeats: 20,
};
