import type { Database } from '#platform/database/database.js';
import { tenantTableSql } from '#platform/database/row-level-security.js';
import type { JobDefinition, JobKind, JobPayload } from '#platform/jobs/job.js';

/** A table that jobs leave their traces in. */
export const noteTableSql: readonly string[] = [
  `create table fleet.note (tenant_id text not null, id serial primary key, word text not null, attempt int not null,
     pid int not null, at timestamptz not null default clock_timestamp())`,
  ...tenantTableSql('fleet', 'note'),
];

export interface NotePayload extends JobPayload {
  word: string;
  /** How long an attempt takes; from the second one on it takes none. */
  takesMs?: number;
}

/** Writes a word down when it begins, and `<word> done` when it has ended. */
export const writeNote: JobKind<NotePayload> = {
  name: 'fleet.note.write',
  retry: { limit: 3, delaySeconds: 1, maxDelaySeconds: 2 },
  expireInSeconds: 3,
};

export function noteJobs(database: Database): JobDefinition<NotePayload> {
  const note = async (tenantId: string, word: string, attempt: number) =>
    database
      .forTenant(tenantId)
      .execute('insert into fleet.note (tenant_id, word, attempt, pid) values (?, ?, ?, ?)', [
        tenantId,
        word,
        attempt,
        process.pid,
      ]);
  return {
    ...writeNote,
    async handle({ payload, attempt }) {
      await note(payload.tenantId, payload.word, attempt);
      const { takesMs = 0 } = payload;
      if (takesMs > 0 && attempt === 1) await new Promise((resolve) => setTimeout(resolve, takesMs));
      await note(payload.tenantId, `${payload.word} done`, attempt);
    },
  };
}
