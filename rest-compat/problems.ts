import { shortPath, shortSentence } from '#platform/client-data.js';

import { Refusal } from './errors.js';

/** Enough to mend a request by; a hostile body must not make an answer longer than itself. */
const most = 100;

interface Problem {
  path: string;
  rule: string;
  subject: string;
}

/**
 * What is wrong with one request, gathered over its path, query and body so that the client hears all of it at once.
 * Paths are in the client's words. The methods answer undefined, the value of a field that could not be read.
 */
export class Problems {
  private readonly found: Problem[] = [];
  private anyMalformed = false;

  /** Not even the right kind of value: the whole request is a 400. */
  malformed(path: string, rule: string): undefined {
    this.anyMalformed = true;
    this.add(path, rule);
  }

  /** The right kind of value, but it breaks a rule: a 422. */
  broken(path: string, rule: string, subject: string = label(path)): undefined {
    this.add(path, rule, subject);
  }

  /** What else is broken, in a whole sentence, where nothing is told of the field yet. */
  alsoBroken(path: string, sentence: string): void {
    if (!this.found.some((problem) => problem.path === shortPath(path))) this.add(path, sentence, '');
  }

  get isEmpty(): boolean {
    return this.found.length === 0;
  }

  /** To be thrown when defined. */
  refusal(): Refusal | undefined {
    if (this.found.length === 0) return undefined;
    if (this.anyMalformed) {
      return Refusal.of('BAD_REQUEST', this.found.map(inOneLine).join('; '));
    }
    const details = this.found.map(({ path, rule, subject }) => [path, `${subject} ${rule}`.trim()] as const);
    // fromEntries defines each key as a property of its own, so `__proto__` is a key like any other.
    return Refusal.of('VALIDATION_FAILED', 'Validation failed', { details: Object.fromEntries(details) });
  }

  private add(path: string, rule: string, subject = path): undefined {
    if (this.found.length < most)
      this.found.push({ path: shortPath(path), rule: shortSentence(rule), subject: shortPath(subject) });
  }
}

/** Where a rule is a whole sentence it names its subject itself. */
function inOneLine({ path, rule, subject }: Problem): string {
  return subject === '' ? rule : `${path} ${rule}`;
}

/** `max_uses` becomes "Max uses"; the item of a list keeps its path. */
function label(path: string): string {
  const name = path.slice(path.lastIndexOf('.') + 1);
  if (/^\d+$/.test(name)) return path;
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
