import { Live } from '../support/live.js';
import { until } from '../support/world.js';
import { argumentFor, type Extent, type Source } from './arguments.js';
import type { Parties } from './check-isolation.js';
import { declaredIn, isFinding, refusalFor, tryArguments, type Declared } from './check-roles.js';
import type { Finding } from './findings.js';
import { leaksIn } from './markers.js';
import { callers, permissionsOf, type Caller, type Matrix } from './matrix.js';
import { allOf, callOf, leastOf } from './operations.js';
import type { RichScene } from './rich-scene.js';
import type { Target } from './target.js';

const tooLongMs = 5_000;

function subscriptionsIn(target: Target, matrix: Matrix): Declared[] {
  return declaredIn(target, matrix).filter(({ root }) => root.kind === 'subscription');
}

/** Opens every subscription as everybody, and tells where that ends otherwise than the matrix says. */
export async function subscriptionRoleFindings(
  target: Target,
  matrix: Matrix,
  scene: RichScene,
): Promise<Finding[]> {
  const permissions = permissionsOf(matrix);
  const pairs = subscriptionsIn(target, matrix).flatMap((one) => callers.map((caller) => ({ one, caller })));
  const opened = await Promise.all(
    pairs.map(async ({ one, caller }) => {
      const token = await scene.token(caller, one.access.permission, permissions);
      const live = open(target, one, scene, 'required', token, 'least');
      if (live instanceof Live && one.access.callers.includes(caller))
        await live.opened().catch(() => undefined);
      return { one, caller, live };
    }),
  );
  await scene.act();
  const found = await Promise.all(
    opened.map(async ({ one, caller, live }) => {
      if (!(live instanceof Live)) return [live];
      const problem = await judge(one, caller, live);
      await live.close();
      return problem ? [{ where: one.row, caller, problem }] : [];
    }),
  );
  return found.flat();
}

async function judge({ access }: Declared, caller: Caller, live: Live): Promise<string | undefined> {
  await until(async () => live.results.length > 0 || live.error !== undefined, 'a result', tooLongMs).catch(
    () => undefined,
  );
  const isServed = live.results[0]?.data != null && live.results[0].errors === undefined;
  const code = isServed ? 'events' : codeOf(live);
  if (access.callers.includes(caller)) return isServed ? undefined : `was to be let in, but got ${code}`;
  // A token that is none of the panel's own closes the socket.
  const expected = caller === 'oauth' ? ['UNAUTHENTICATED', 'closed'] : [refusalFor(access, caller)];
  return expected.includes(code)
    ? undefined
    : `was to be refused with ${expected.join(' or ')}, but got ${code}`;
}

function codeOf(live: Live): string {
  if (typeof live.firstErrorCode === 'string') return live.firstErrorCode;
  return live.error === undefined ? 'nothing' : 'closed';
}

/** Subscribes a stranger to everything while the victim acts: only what it does itself may reach it. */
export async function subscriptionFindings(
  target: Target,
  matrix: Matrix,
  parties: Parties,
): Promise<Finding[]> {
  const { victim, stranger } = parties;
  const declared = subscriptionsIn(target, matrix);
  const start = async (asker: RichScene, source: Source, extent: Extent) =>
    Promise.all(
      declared.map(async (one) => ({ one, live: await openAs(target, one, asker, source, extent) })),
    );
  const control = await start(victim, victim, 'required');
  const strange = [
    ...(await start(stranger, stranger, 'required')),
    ...(await start(stranger, victim, 'everything')),
  ];
  const lives = [...control, ...strange].flatMap(({ live }) => (live instanceof Live ? [live] : []));
  await Promise.all(lives.map((live) => live.opened()));
  await victim.act();
  // Events of one area come in their order: whoever has the stranger's own has been past the victim's.
  await stranger.act();
  await victim.reread();
  const markers = victim.markers([stranger]);
  const expected = [...control, ...strange.slice(0, declared.length)];
  const found: Finding[] = [];
  for (const { one, live } of expected) {
    if (!(live instanceof Live)) found.push(live);
    else if (!(await hasEvent(live)))
      found.push({ where: one.row, caller: 'owner', problem: 'tells its own tenant nothing' });
  }
  for (const { one, live } of strange) {
    if (!(live instanceof Live)) continue;
    const leaks = leaksIn(JSON.stringify([live.results, live.error ?? null]), markers);
    found.push(
      ...leaks.map((marker) => ({ where: one.row, caller: 'stranger', problem: `showed ${marker}` })),
    );
  }
  await Promise.all(lives.map((live) => live.close()));
  return found;
}

async function hasEvent(live: Live): Promise<boolean> {
  return live.received(1, tooLongMs).then(
    ([first]) => first?.data != null,
    () => false,
  );
}

/** Subscribes to all of it as somebody of the asker's tenant who may. */
export async function openAs(
  target: Target,
  one: Declared,
  asker: RichScene,
  source: Source,
  extent: Extent,
): Promise<Live | Finding> {
  const caller = one.access.callers.includes('owner') ? 'owner' : (one.access.callers[0] ?? 'owner');
  const token = await asker.token(caller, one.access.permission, []);
  return open(target, one, source, extent, token, 'all');
}

function open(
  target: Target,
  declared: Declared,
  source: Source,
  extent: Extent,
  token: string | undefined,
  selected: 'least' | 'all',
): Live | Finding {
  const args = tryArguments(declared, source, extent);
  if (isFinding(args)) return args;
  const { type } = declared.root.field;
  const valueOf: Parameters<typeof allOf>[2] = (owner, argument) => argumentFor(owner, argument, source);
  const selection = selected === 'all' ? allOf(type, target.schema, valueOf) : leastOf(type);
  const { query, variables } = callOf(declared.root, args, selection);
  if (!target.url) throw new Error('subscriptions are asked of a panel');
  return new Live(target.url, token, query, { variables });
}
