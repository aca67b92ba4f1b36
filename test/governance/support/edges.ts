import pg from 'pg';

/** Marks the advisory locks at which writes are held. */
const heldClass = 4711;

/**
 * What stops writes of canaries right before they are done, in PostgreSQL itself. First a write at its edge fails, so that
 * the canary stays before it; then it is held in its transaction, for its process to be killed in the middle of it.
 */
const statements = [
  `create table public.edge (canary_id text primary key, number integer not null, at text not null, is_held boolean not null)`,
  // Of a canary what is written is named: "RUNNING to BAKING", "command claimed", "rollback sent", ...
  `create function public.stop_at(canary text, here text) returns void language plpgsql security definer
     set lock_timeout = '60s' as $$
   declare stop public.edge; begin
     select * into stop from public.edge e where e.canary_id = canary and e.at = here;
     if not stop.is_held then
       perform nextval('public.edge_' || stop.number);
       raise exception 'stopped at %', here;
     elsif stop.is_held then
       perform pg_advisory_xact_lock_shared(${heldClass}, stop.number);
     end if;
   end $$`,
  `create function public.stop_canary() returns trigger language plpgsql security definer as $$ begin
     perform public.stop_at(new.id, old.status || ' to ' || new.status);
     return new; end $$`,
  `create trigger stop before update on governance.canary for each row when (old.status <> new.status)
     execute function public.stop_canary()`,
  `create function public.stop_dispatch() returns trigger language plpgsql security definer as $$
   declare what text := case when new.is_rollback then 'rollback ' else 'command ' end; begin
     if tg_op = 'INSERT' then
       perform public.stop_at(new.canary_id, what || 'prepared ' ||
         (select c.status from governance.canary c where c.tenant_id = new.tenant_id and c.id = new.canary_id));
     elsif old.attempted_at is null and new.attempted_at is not null then
       perform public.stop_at(new.canary_id, what || 'claimed');
     elsif old.command_id is null and new.command_id is not null then
       perform public.stop_at(new.canary_id, what || 'known');
     elsif old.finished_at is null and new.finished_at is not null then
       perform public.stop_at(new.canary_id, what || 'ended');
     end if;
     return new; end $$`,
  `create trigger stop before insert or update on governance.canary_dispatch for each row
     execute function public.stop_dispatch()`,
  `create function public.stop_command() returns trigger language plpgsql security definer as $$ begin
     perform public.stop_at(m.canary_id, case m.status when 'ROLLING_BACK' then 'rollback' else 'command' end || ' sent')
       from governance.canary_member m
       where m.tenant_id = new.tenant_id and m.instance_id = new.instance_id and m.is_open;
     return new; end $$`,
  `create trigger stop before insert on fleet.command_invocation for each row execute function public.stop_command()`,
];

export class Edges implements AsyncDisposable {
  private numbers = 0;

  private constructor(
    private readonly owner: pg.Pool,
    /** Has the locks that writes are held by. */
    private readonly holder: pg.Client,
  ) {}

  static async in(ownerUrl: string): Promise<Edges> {
    const owner = new pg.Pool({ connectionString: ownerUrl, max: 2 });
    owner.on('error', () => undefined);
    for (const statement of statements) await owner.query(statement);
    const holder = new pg.Client({ connectionString: ownerUrl });
    await holder.connect();
    return new Edges(owner, holder);
  }

  async sql<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.owner.query<Row>(text, values)).rows;
  }

  /** Stops the canary there, and answers the number of its edge. What is `isHeld` is so from the first time on. */
  async stop(canaryId: string, at: string, isHeld = false): Promise<number> {
    const number = (this.numbers += 1);
    await this.sql(`create sequence public.edge_${number}`);
    await this.sql(`grant usage on sequence public.edge_${number} to public`);
    await this.holder.query('select pg_advisory_lock($1, $2)', [heldClass, number]);
    await this.sql('insert into public.edge values ($1, $2, $3, $4)', [canaryId, number, at, isHeld]);
    return number;
  }

  /** Those that have come to their edge, and failed to pass. */
  async reached(): Promise<number[]> {
    const rows = await this.sql<{ number: string }>(
      `select substring(sequencename from 6) as number from pg_sequences
       where sequencename like 'edge\\_%' and last_value is not null`,
    );
    return rows.map(({ number }) => Number(number));
  }

  /** Nobody tries these again until they are held. */
  async rest(numbers: readonly number[]): Promise<void> {
    await this.sql(
      `update governance.canary c set due_at = null from public.edge e
       where c.id = e.canary_id and e.number = any($1) and c.due_at is not null`,
      [numbers],
    );
  }

  /** From now on writes at these edges are held; those of jobs are due at once. */
  async hold(numbers: readonly number[]): Promise<void> {
    await this.sql('update public.edge set is_held = true where number = any($1)', [numbers]);
    await this.sql(
      `update governance.canary c set due_at = now() from public.edge e
       where c.id = e.canary_id and e.number = any($1)`,
      [numbers],
    );
  }

  /** The numbers of those edges at which a write is held now. */
  async held(): Promise<number[]> {
    const rows = await this.sql<{ number: number }>(
      `select distinct objid::integer as number from pg_locks
       where locktype = 'advisory' and classid = ${heldClass} and not granted
         and database = (select oid from pg_database where datname = current_database())`,
    );
    return rows.map(({ number }) => number);
  }

  /**
   * Lets these pass from now on. Transactions in which they were held are over with the processes that began them, or where
   * these are `frozen` only once PostgreSQL loses its patience with them.
   */
  async pass(numbers: readonly number[], frozen = false): Promise<void> {
    await this.sql('delete from public.edge where number = any($1)', [numbers]);
    if (!frozen)
      await this.sql(
        `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid = ${heldClass}
           and not granted and objid::integer = any($1)
           and database = (select oid from pg_database where datname = current_database())`,
        [numbers],
      );
    for (const number of numbers)
      await this.holder.query('select pg_advisory_unlock($1, $2)', [heldClass, number]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.holder.end();
    await this.owner.end();
  }
}
