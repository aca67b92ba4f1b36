import DataLoader from 'dataloader';

import { ApiError, badArgument } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';

import { mostResults, type ResultsArgs } from './command.inputs.js';
import type { CommandInvocation, StoredLateResult } from './invocation.entity.js';

/** A result as lists have it: what it printed may be long and is read only where it is asked for. */
export type ListedResult = Omit<
  CommandInvocation,
  'position' | 'output' | 'lateResult' | 'leaseStem' | 'leasedUntil' | 'dueAt'
> &
  Partial<Pick<CommandInvocation, 'output' | 'lateResult'>>;

export interface Printed {
  output: string | null;
  lateResult: StoredLateResult | null;
}

const usualPage = 500;
/** What one operation may read: of many commands, a few results each or few commands with all. */
const most = { rows: 50_000, characters: 40_000_000 };
const outputsAtOnce = 100;

/**
 * Results of commands in the order in which the instances were named: those of several commands by one query, and what
 * they printed by as few more as keep its amount bounded.
 */
export class ResultsLoader {
  private readonly pages = new Map<string, DataLoader<string, ListedResult[]>>();
  private readonly outputs = new Map<number | null, DataLoader<string, Printed>>();
  private readonly known = new Map<string, readonly CommandInvocation[]>();
  private rows = 0;
  private characters = 0;
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(private readonly operation: Operation) {}

  static of(operation: Operation): ResultsLoader {
    return operation.once(ResultsLoader, () => new ResultsLoader(operation));
  }

  /** From here on these are the command's results, whatever became of them since. */
  prime(commandId: string, invocations: readonly CommandInvocation[]): void {
    this.known.set(commandId, invocations);
  }

  /** `total` bounds what will be found. BAD_REQUEST when the operation asks for too many altogether. */
  async page(commandId: string, total: number, args: ResultsArgs): Promise<readonly ListedResult[]> {
    const first = args.first ?? usualPage;
    if (first < 1 || first > mostResults) {
      throw badArgument('first', `must be from 1 to ${mostResults}`);
    }
    const known = this.known.get(commandId);
    if (known) return cut(known, first, args);
    this.rows += args.instanceId == null ? Math.min(first, total) : 1;
    if (this.rows > most.rows) throw tooMuch(`Ask for at most ${most.rows} results at once`);
    const key = JSON.stringify([first, args.after ?? null, args.instanceId ?? null, args.statuses ?? null]);
    const loader = this.pages.get(key) ?? new DataLoader((ids) => this.read(ids, first, args));
    this.pages.set(key, loader);
    return loader.load(commandId);
  }

  /** What it printed, the first `maxLength` characters of it, and its late result. BAD_REQUEST when that is too much altogether. */
  async printed({ commandId, instanceId }: ListedResult, maxLength: number | null): Promise<Printed> {
    const loader =
      this.outputs.get(maxLength) ??
      new DataLoader((keys) => this.inTurn(async () => this.readPrinted(keys, maxLength)), {
        maxBatchSize: outputsAtOnce,
      });
    this.outputs.set(maxLength, loader);
    return loader.load(`${commandId} ${instanceId}`);
  }

  /** One batch after another, so that none is read any more once it is too much. */
  private async inTurn(read: () => Promise<Printed[]>): Promise<Printed[]> {
    const turn = this.turn.then(async () => {
      if (this.characters <= most.characters) return read();
      throw tooMuch('Ask for the output of fewer results at once');
    });
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  private async read(
    commandIds: readonly string[],
    first: number,
    { after, instanceId, statuses }: ResultsArgs,
  ): Promise<ListedResult[][]> {
    const { database, tenantId, mayLag } = this.operation;
    // Two statements: a plan that served both would go through all results for those of one instance.
    const ofInstance = instanceId == null ? '' : 'and instance_id = ?';
    const inStatus =
      statuses == null ? '' : 'and status = any (array(select jsonb_array_elements_text(?::jsonb)))';
    const rows = await database.select<ListedResult>(
      tenantId,
      `select r.* from jsonb_array_elements_text(?::jsonb) as c (id) cross join lateral (
         select tenant_id as "tenantId", command_id as "commandId", instance_id as "instanceId", status, progress,
           exit_code::double precision as "exitCode", output_truncated as "outputTruncated", deliveries, delivered_at as "deliveredAt", started_at as "startedAt",
           finished_at as "finishedAt", updated_at as "updatedAt"
         from fleet.command_invocation
         where tenant_id = ? and command_id = c.id ${ofInstance} ${inStatus}
           and position > case when ?::text is null then -1 else (
             select l.position from fleet.command_invocation l
             where l.tenant_id = ? and l.command_id = c.id and l.instance_id = ?) end
         order by position limit ?
       ) r`,
      [
        JSON.stringify(commandIds),
        tenantId,
        ...(instanceId == null ? [] : [instanceId]),
        ...(statuses == null ? [] : [JSON.stringify(statuses)]),
        after ?? null,
        tenantId,
        after ?? null,
        first,
      ],
      { mayLag },
    );
    const byCommand = new Map(commandIds.map((id): [string, ListedResult[]] => [id, []]));
    for (const row of rows) byCommand.get(row.commandId)?.push(row);
    return commandIds.map((id) => byCommand.get(id) ?? []);
  }

  private async readPrinted(keys: readonly string[], maxLength: number | null): Promise<Printed[]> {
    const { database, tenantId, mayLag } = this.operation;
    const wanted = keys.map((key) => {
      const [commandId, instanceId] = key.split(' ');
      return { commandId, instanceId };
    });
    const rows = await database.select<Printed & { key: string }>(
      tenantId,
      `select i.command_id || ' ' || i.instance_id as key, ${maxLength === null ? 'i.output' : `left(i.output, ${Math.trunc(maxLength)}) as output`}, i.late_result as "lateResult"
       from jsonb_to_recordset(?::jsonb) as w ("commandId" text, "instanceId" text)
       join fleet.command_invocation i
         on i.tenant_id = ? and i.command_id = w."commandId" and i.instance_id = w."instanceId"`,
      [JSON.stringify(wanted), tenantId],
      { mayLag },
    );
    for (const { output, lateResult } of rows) {
      this.characters += (output?.length ?? 0) + (lateResult?.output?.length ?? 0);
    }
    const byKey = new Map(rows.map((row) => [row.key, row]));
    return keys.map((key) => byKey.get(key) ?? { output: null, lateResult: null });
  }
}

function cut(
  all: readonly CommandInvocation[],
  first: number,
  { after, instanceId, statuses }: ResultsArgs,
): readonly CommandInvocation[] {
  const from = after == null ? 0 : all.findIndex((each) => each.instanceId === after) + 1 || all.length;
  return all
    .slice(from)
    .filter((each) => instanceId == null || each.instanceId === instanceId)
    .filter(({ status }) => statuses == null || statuses.includes(status))
    .slice(0, first);
}

function tooMuch(message: string): ApiError {
  return new ApiError('BAD_REQUEST', message, { reason: 'RESULTS_TOO_MANY' });
}
