import type { Browser } from 'playwright-core';

import { quantile } from './stats.js';

/** What frames cost the main thread of the page, by its own CPU clock: waiting for a core on a busy machine is not in it. */
export interface FrameCosts {
  frames: number;
  /** Milliseconds for one frame, in the mean. */
  perFrame: { all: number; script: number; style: number; layout: number; paint: number };
  /** Milliseconds within which 95 of 100 frames were made. */
  p95: number;
}

interface TraceEvent {
  pid: number;
  tid: number;
  ph: string;
  name: string;
  ts: number;
  dur?: number;
  /** Of the thread's own CPU clock, in microseconds. */
  tdur?: number;
  args?: { name?: string };
}

const parts: Readonly<Record<string, keyof Omit<FrameCosts['perFrame'], 'all'>>> = {
  FunctionCall: 'script',
  EventDispatch: 'script',
  FireAnimationFrame: 'script',
  TimerFire: 'script',
  UpdateLayoutTree: 'style',
  Layout: 'layout',
  PrePaint: 'paint',
  Paint: 'paint',
  Layerize: 'paint',
  Commit: 'paint',
};

/** Has the browser trace what it does meanwhile, and reads of it what the page's main thread did. */
export async function traced<Result>(
  browser: Browser,
  work: () => Promise<Result>,
): Promise<{ result: Result; costs: FrameCosts }> {
  const session = await browser.newBrowserCDPSession();
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel', 'devtools.timeline', 'blink', 'cc'] },
  });
  const result = await work();
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  await session.send('Tracing.end');
  await complete;
  await session.detach();
  return { result, costs: costsOf(events) };
}

function costsOf(events: readonly TraceEvent[]): FrameCosts {
  const mine = ofMainThread(events);
  const frames = mine.filter(({ name }) => name === 'ProxyMain::BeginMainFrame');
  if (frames.length === 0) throw new Error('the trace has no frames');
  const sums = { all: 0, script: 0, style: 0, layout: 0, paint: 0 };
  for (const { name, tdur = 0 } of mine) if (name === 'ThreadControllerImpl::RunTask') sums.all += tdur;
  for (const { name, self } of ownTimes(mine)) {
    const part = parts[name];
    if (part) sums[part] += self;
  }
  const each = (sum: number) => sum / 1000 / frames.length;
  const { all, script, style, layout, paint } = sums;
  return {
    frames: frames.length,
    perFrame: {
      all: each(all),
      script: each(script),
      style: each(style),
      layout: each(layout),
      paint: each(paint),
    },
    p95: quantile(
      frames.map(({ tdur = 0 }) => tdur / 1000),
      0.95,
    ),
  };
}

/** There may be several processes with a main thread: the page's is the one that made the frames. */
function ofMainThread(events: readonly TraceEvent[]): TraceEvent[] {
  const places = new Map<string, number>();
  const placeOf = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  for (const event of events) {
    if (event.name === 'ProxyMain::BeginMainFrame' && event.ph === 'X')
      places.set(placeOf(event), (places.get(placeOf(event)) ?? 0) + 1);
  }
  const [place] = [...places].toSorted(([, a], [, b]) => b - a)[0] ?? [];
  return events.filter((event) => event.ph === 'X' && placeOf(event) === place);
}

/** The time of each step without that of the named steps inside of it. */
function ownTimes(events: readonly TraceEvent[]): { name: string; self: number }[] {
  const named = events
    .filter(({ name }) => parts[name])
    .toSorted((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0));
  const open: { name: string; self: number; end: number }[] = [];
  const found: { name: string; self: number; end: number }[] = [];
  for (const { name, ts, dur = 0, tdur = 0 } of named) {
    while (open.length > 0 && open.at(-1)!.end <= ts) open.pop();
    const around = open.at(-1);
    if (around) around.self -= tdur;
    const step = { name, self: tdur, end: ts + dur };
    open.push(step);
    found.push(step);
  }
  return found;
}
