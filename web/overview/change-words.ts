import type { ChangesQuery } from '../generated/graphql.ts';
import { exactTime } from '../parts/time.tsx';

export type Change = ChangesQuery['auditEvents']['nodes'][number];

/** What the ids of things begin with, and what these are called. */
const kinds: Record<string, string> = {
  org: 'organization',
  usr: 'member',
  ses: 'session',
  inst: 'instance',
  etk: 'enrollment token',
  inv: 'invitation',
  apk: 'API key',
  dlg: 'grant',
  alr: 'alert',
  sil: 'silence',
  chn: 'channel',
  cmd: 'command',
  grp: 'group',
  mwn: 'maintenance window',
  lic: 'licence',
  pac: 'account at a provider',
  par: 'partner',
  pol: 'policy',
  can: 'canary',
  rem: 'remedy',
  git: 'repository',
  srv: 'server',
  k8s: 'cluster',
  dep: 'deployment',
  plc: 'placement',
  upg: 'upgrade',
};

/** `the server`, of an id. */
export function theThing(id: string): string {
  const kind = kinds[id.split('_')[0]!];
  return kind === undefined ? id : `the ${kind}`;
}

/** Whoever acted and is nobody by name. */
const actors: Record<string, string> = {
  user: 'A member',
  delegate: 'Somebody of your provider',
  'api-key': 'An API key',
  node: 'A node',
  anonymous: 'Somebody who was not signed in',
};

export function actorOf({ actor, actorKind }: Change): string {
  if (actorKind === 'service') return `The panel (${actor.replace(/^svc:/, '')})`;
  return actors[actorKind] ?? actor;
}

/** Where the past of a verb is not the verb with `ed`. */
const pasts: Record<string, string> = {
  begin: 'began',
  cancel: 'cancelled',
  fail: 'failed',
  make: 'made',
  put: 'put',
  reset: 'reset',
  run: 'ran',
  send: 'sent',
  set: 'set',
  stop: 'stopped',
};

function pastOf(verb: string): string {
  if (pasts[verb]) return pasts[verb];
  if (verb.endsWith('e')) return `${verb}d`;
  return /[^aeiou]y$/.test(verb) ? `${verb.slice(0, -1)}ied` : `${verb}ed`;
}

/** `idempotencyKey` as "idempotency key". */
export function apart(name: string): string {
  return name
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase();
}

/** Where what was done is named and is not what it was done to. */
const prepositions: Record<string, string> = {
  createPolicyExemption: 'from',
  deletePolicyExemption: 'from',
  grantPlan: 'to',
};

/**
 * `acknowledgeAlert` as "acknowledged alert", and before "the alert" as "acknowledged". Security events are named with an
 * underscore, and are no deeds.
 */
export function deedOf(change: Change, target: string | undefined): string {
  const { action } = change;
  if (action.includes('_')) return apart(action);
  const [verb = '', ...rest] = apart(action).split(' ');
  // "rolled back", and then what.
  const [particle, ...what] = rest[0] === 'back' ? rest : [undefined, ...rest];
  const isSaid = target === `the ${what.join(' ')}`;
  // protectServer with isProtected false takes the protection off.
  const past = fieldsOf(change)[flagOf(action)] === false ? `un${pastOf(verb)}` : pastOf(verb);
  const preposition = target === undefined ? undefined : prepositions[action];
  return [past, particle, ...(isSaid ? [] : what), preposition].filter(Boolean).join(' ');
}

/** What says whether a deed was done or undone, and is said by its verb: isProtected of protectServer. */
function flagOf(action: string): string {
  const past = pastOf(apart(action).split(' ')[0]!);
  return `is${past.charAt(0).toUpperCase()}${past.slice(1)}`;
}

type Fields = Record<string, unknown>;

interface Details {
  changes?: Fields;
  /** What the mutation was given. */
  input?: Fields & { input?: Fields };
}

/** What needs no words: it is said as the name, or says nothing to people. */
const unsaid = new Set(['name', 'idempotencyKey']);

/** The name of what it was done to, where that was told. */
export function nameOf({ details }: Change): string | undefined {
  const { changes, input } = details as Details;
  const told = changes?.['name'] ?? input?.input?.['name'];
  const name = isFromTo(told) ? told.to : told;
  return typeof name === 'string' ? name : undefined;
}

function fieldsOf({ details }: Change): Fields {
  const { changes, input } = details as Details;
  if (changes) return changes;
  // What was left out of an input says nothing, and neither does that a secret was given.
  const given = Object.entries(input?.input ?? {});
  return Object.fromEntries(given.filter(([, value]) => value !== null && value !== '[redacted]'));
}

/** What is otherwise by it, as far as a few words say it: `role viewer → operator, region eu-central`. */
export function effectOf(change: Change): string {
  return Object.entries(fieldsOf(change))
    .filter(([name]) => !unsaid.has(name) && name !== flagOf(change.action))
    .flatMap(([name, value]) => effectText(apart(name.replace(/^is(?=[A-Z])/, '')), value))
    .filter((text) => text.length <= 80)
    .slice(0, 3)
    .join(', ');
}

function effectText(name: string, value: unknown): string[] {
  if (isFromTo(value)) {
    const [from, to] = [valueText(value.from), valueText(value.to)];
    return from === undefined || to === undefined ? [] : [`${name} ${from} → ${to}`];
  }
  const text = valueText(value);
  return text === undefined ? [] : [`${name} ${text}`];
}

const moment = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** Ids say nothing to people, and are left out. */
function isId(text: string): boolean {
  const [kind = '', rest = ''] = text.split('_');
  return kinds[kind] !== undefined && /^[0-9A-Za-z]{10,}$/.test(rest);
}

function valueText(value: unknown): string | undefined {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'string') {
    if (isId(value)) return undefined;
    return moment.test(value) && !Number.isNaN(Date.parse(value)) ? exactTime(value) : value;
  }
  if (Array.isArray(value)) {
    const isShort = value.length <= 3 && value.every((one) => typeof one === 'string' && one.length <= 25);
    return isShort ? value.join(' and ') || 'none' : String(value.length);
  }
  return typeof value === 'number' ? String(value) : undefined;
}

function isFromTo(value: unknown): value is { from: unknown; to: unknown } {
  return typeof value === 'object' && value !== null && 'from' in value && 'to' in value;
}
