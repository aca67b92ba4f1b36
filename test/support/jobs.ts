import type { TestPanel } from './panel.js';

// As pg-boss names it for the schema `jobs`. A job that is brought forward is looked for within seconds anyway; told of,
// it is done at once.
const channel = `'pgboss_' || left(encode(sha224('jobs'::bytea), 'hex'), 24)`;

/** Has jobs that wait for their time, or for another attempt, done now: the queue goes by the database's time. */
export async function hurryJobs({ sql }: Pick<TestPanel, 'sql'>, nameLike: string): Promise<void> {
  await sql(
    `with hurried as (
       update jobs.job set start_after = jobs.job_now()
       where name like $1 and state in ('created', 'retry') and start_after > jobs.job_now()
       returning name)
     select pg_notify(${channel}, name) from (select distinct name from hurried) queue`,
    [nameLike],
  );
}
