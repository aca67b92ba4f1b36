import type { CommandKind, SendCommandInput } from '../generated/graphql.ts';
import type { Scope } from '../governance/scope.tsx';
import { textOf, wordsIn } from '../parts/form.ts';
import { paramsOf } from './param-fields.tsx';

interface Chosen {
  kind: CommandKind;
  /** Of the kind's params; undefined while it is not known. */
  schema: Record<string, unknown> | undefined;
  /** The one that it is for; undefined when whom it is for is chosen. */
  instance: string | undefined;
  scope: Scope;
}

/** What a form says would be sent. */
export function inputOf(form: HTMLFormElement, { kind, schema, instance, scope }: Chosen): SendCommandInput {
  const data = new FormData(form);
  const startAt = textOf(data, 'startAt');
  return {
    command: kind,
    params: schema ? paramsOf(schema, data) : {},
    ...(instance === undefined ? targetsOf(scope) : { instanceIds: [instance] }),
    maxConcurrency: Number(data.get('maxConcurrency')),
    maxErrors: Number(data.get('maxErrors')),
    deliveryTimeoutSeconds: secondsOf(data, 'deliveryTimeoutSeconds'),
    executionTimeoutSeconds: secondsOf(data, 'executionTimeoutSeconds'),
    ignoresWindows: data.get('ignoresWindows') === 'on',
    // Without a zone in it the browser takes it for a time by the reader's clocks.
    startAt: startAt ? new Date(startAt).toISOString() : null,
  };
}

/** They are filled in by the minute. */
const secondsOf = (data: FormData, name: string) => Math.round(Number(data.get(name)) * 60);

function targetsOf({ kind, tags, groupIds, instanceIds }: Scope): Partial<SendCommandInput> {
  if (kind === 'groups') return { groupIds: [...groupIds] };
  return kind === 'chosen' ? { instanceIds: [...instanceIds] } : { tags: wordsIn(tags) };
}
