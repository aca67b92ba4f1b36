import {
  Composer,
  isNode,
  isScalar,
  Lexer,
  Parser,
  visit,
  type CST,
  type Document,
  type LineCounter,
  type Pair,
} from 'yaml';

/**
 * Words, signs, spaces and line breaks of one document: some thousand lines, which a parser takes up to 30 ms for. It makes
 * something of each, and takes no break.
 */
export const mostYamlParts = 10_000;

/** A document that is not parsed: it would keep everybody else waiting. */
export class YamlTooLarge extends Error {
  override readonly name = 'YamlTooLarge';

  constructor() {
    super(`A document has more than ${mostYamlParts} parts (words, signs, spaces and line breaks)`);
  }
}

/**
 * The documents of a text, each parsed when it is asked for. What is wrong with one is in its `errors`; whether a key is
 * there twice is for `wrongKeys` to say. Throws YamlTooLarge before the document that is too large is parsed.
 */
export function* yamlDocuments(text: string, lines?: LineCounter): Generator<Document.Parsed> {
  const parser = new Parser(lines?.addNewLine);
  // Its own look for keys that are there twice compares each key with each other.
  const composer = new Composer({ merge: true, uniqueKeys: false });
  let parts = 0;
  const composed = (tokens: Iterable<CST.Token>): Document.Parsed[] => {
    const documents: Document.Parsed[] = [];
    for (const token of tokens) {
      if (token.type === 'document') parts = 0;
      for (const document of withoutStacks(() => [...composer.next(token)])) documents.push(document);
    }
    return documents;
  };
  lines?.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    parts += 1;
    if (parts > mostYamlParts) throw new YamlTooLarge();
    yield* composed(parser.next(lexeme));
  }
  yield* composed(parser.end());
  yield* composer.end();
}

/** An error of the parser's knows its place in the text. Where it came up in the program costs ten times what it is of. */
function withoutStacks<Made>(make: () => Made): Made {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = before;
  }
}

export interface WrongKey {
  message: string;
  offset: number | undefined;
}

/**
 * Keys that are no plain words, and those that a map has more than once: one would silently stand for the others. To be
 * asked before anything is made of a document: of keys that are maps themselves yaml makes text again at each level.
 */
export function wrongKeys(document: Document.Parsed, most: number): WrongKey[] {
  const found: WrongKey[] = [];
  visit(document, {
    Map(_key, { items }) {
      const seen = new Set<string>();
      for (const { key } of items as Pair[]) {
        if (found.length >= most) return visit.BREAK;
        if (!isScalar(key)) {
          found.push({ message: 'A key is a plain word', offset: isNode(key) ? key.range?.[0] : undefined });
          return visit.BREAK;
        }
        const text = String(key.value);
        if (seen.has(text) && text !== '<<')
          found.push({ message: `${text} is there twice`, offset: key.range?.[0] });
        seen.add(text);
      }
      return undefined;
    },
  });
  return found;
}
