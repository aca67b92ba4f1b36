import type { CommandKind, SendCommandInput } from '../generated/graphql.ts';
import { wordsIn } from '../parts/form.ts';
import { paramsOf } from './param-fields.tsx';

interface Chosen {
  kind: CommandKind;
  /** Of the kind's params; undefined while it is not known. */
  schema: Record<string, unknown> | undefined;
  /** The one that it is for; undefined when it goes by tags. */
  instance: string | undefined;
  tags: string;
}

/** What a form says would be sent. */
export function inputOf(form: HTMLFormElement, { kind, schema, instance, tags }: Chosen): SendCommandInput {
  const data = new FormData(form);
  return {
    command: kind,
    params: schema ? paramsOf(schema, data) : {},
    ...(instance === undefined ? { tags: wordsIn(tags) } : { instanceIds: [instance] }),
    maxConcurrency: Number(data.get('maxConcurrency')),
    maxErrors: Number(data.get('maxErrors')),
    ignoresWindows: data.get('ignoresWindows') === 'on',
  };
}
