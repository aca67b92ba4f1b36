import { fixed, type Figure } from '../report.js';
import { median, quantile } from '../stats.js';
import type { Tally } from './traffic.js';

/** The panel while everything was on. */
export interface Watched {
  seconds: number;
  /** MB, each two seconds. */
  memory: number[];
  memoryBefore: number;
  /** Of a core. */
  panelCores: number;
  postgresCores: number;
}

export interface Found {
  tallies: Record<'calls' | 'commands' | 'beats' | 'results', Tally>;
  heard: number;
  /** Events that dashboards should have heard and did not. */
  missed: { commands: number; beats: number; changes: number };
  /** From the sending of a command, or a beat, until a dashboard heard of it. */
  commandDelays: number[];
  beatDelays: number[];
  errors: string[];
}

/** Memory is flat when at the end there is no more than this much of what there was once all was under way. */
const flat = 1.15;

export function figuresOf(
  { tallies, heard, missed, commandDelays, beatDelays, errors }: Found,
  { seconds, memory, memoryBefore, panelCores, postgresCores }: Watched,
): Figure[] {
  const part = (from: number, to: number) =>
    median(memory.slice(Math.floor(memory.length * from), Math.max(1, Math.ceil(memory.length * to))));
  const [start, middle, end] = [part(0.1, 0.2), part(0.45, 0.55), part(0.9, 1)];
  const answered = Object.values(tallies).reduce((sum, tally) => sum + tally.answered, 0);
  const allMissed = missed.commands + missed.beats + missed.changes;
  return [
    {
      what: `errors, of ${answered} answers and all sockets`,
      value: String(countOf(errors)),
      target: '0',
      isMet: errors.length === 0,
    },
    ...[...new Set(errors)]
      .slice(0, 10)
      .map((what): Figure => ({ what: `  ${what.slice(0, 100)}`, value: '' })),
    {
      what: `events missed, of ${heard} heard (commands, beats, changes of instances and alerts)`,
      value: `${missed.commands}, ${missed.beats}, ${missed.changes}`,
      target: '0',
      isMet: allMissed === 0,
    },
    {
      what: 'memory of the panel, MB: before, start, middle, end (end / start)',
      value: `${memoryBefore}, ${start}, ${middle}, ${end} (${fixed(end / start)})`,
      target: `flat: <= ${flat}`,
      isMet: end / start <= flat,
    },
    {
      what: 'CPU of the panel, of its database, in cores',
      value: `${fixed(panelCores)}, ${fixed(postgresCores)}`,
    },
    ...(Object.entries(tallies) as [string, Tally][]).map(([name, { answered: many, latencies }]) => ({
      what: `${name} a second; ms from when they were due: 50, 99 of 100, the longest`,
      value: `${fixed(many / seconds, 1)}; ${spread(latencies)}`,
    })),
    { what: 'ms from a command to a screen: 50, 99 of 100, the longest', value: spread(commandDelays) },
    { what: 'ms from a beat to a screen: 50, 99 of 100, the longest', value: spread(beatDelays) },
  ];
}

const countOf = (errors: readonly string[]) =>
  errors.reduce((sum, each) => sum + Number(/^(\d+) of /.exec(each)?.[1] ?? 1), 0);

const spread = (values: readonly number[]) =>
  values.length === 0
    ? 'none'
    : [quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1)]
        .map((value) => fixed(value, 0))
        .join(', ');
