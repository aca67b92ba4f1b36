import { StatusError } from '../errors.js';
import type { KubeObject } from '../wire.js';

/** Which objects a list or a watch is about. */
export type Matches = (object: KubeObject) => boolean;

export function selectors(query: URLSearchParams): Matches {
  const byFields = fieldsOf(query.get('fieldSelector') ?? '');
  const byLabels = labelsOf(query.get('labelSelector') ?? '');
  return (object) => byFields(object) && byLabels(object);
}

function fieldsOf(text: string): Matches {
  const terms = text
    .split(',')
    .filter(Boolean)
    .map((term) => {
      const [, name = '', not = '', value = ''] = /^([\w.]+)(!)?={1,2}(.*)$/.exec(term) ?? [];
      if (name !== 'metadata.name' && name !== 'metadata.namespace')
        throw new StatusError(
          'BadRequest',
          `Unable to find "${term}" that match label selector "", field selector "${text}": field label not supported: ${name || term}`,
        );
      return {
        key: name === 'metadata.name' ? ('name' as const) : ('namespace' as const),
        isNot: not !== '',
        value,
      };
    });
  return ({ metadata }) => terms.every(({ key, isNot, value }) => (metadata[key] === value) !== isNot);
}

function labelsOf(text: string): Matches {
  // Commas within brackets belong to a set.
  const terms = text
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter(Boolean);
  const tests = terms.map((term): ((labels: Record<string, string>) => boolean) => {
    const set = /^([\w./-]+)\s+(in|notin)\s+\((.*)\)$/.exec(term);
    if (set) {
      const values = set[3]!.split(',').map((value) => value.trim());
      return (labels) => values.includes(labels[set[1]!] ?? '') === (set[2] === 'in');
    }
    const equal = /^([\w./-]+)\s*(!?=)=?\s*([\w.-]*)$/.exec(term);
    if (equal) return (labels) => (labels[equal[1]!] === equal[3]) === (equal[2] === '=');
    const there = /^(!?)([\w./-]+)$/.exec(term);
    if (there) return (labels) => there[2]! in labels === (there[1] === '');
    throw new StatusError('BadRequest', `unable to parse requirement: ${term}`);
  });
  return ({ metadata }) => tests.every((test) => test(metadata.labels ?? {}));
}
