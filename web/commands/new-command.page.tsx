import { getRouteApi } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { useMutation } from 'urql';

import { problemOf } from '../api/problem.ts';
import { useRead } from '../api/use-read.ts';
import { CommandKindsDocument, SendCommandDocument, type CommandKind } from '../generated/graphql.ts';
import { Choice, Field } from '../parts/field.tsx';
import { onceKey } from '../parts/once-key.ts';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { words } from '../parts/words.ts';
import { ParamFields, paramsOf } from './param-fields.tsx';
import { Reach, targetOf, useReach } from './reach.tsx';

const route = getRouteApi('/commands/new');

/** Sends a command, after showing whom it touches. */
export default function NewCommandPage() {
  const { instance, tag } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, told, read } = useRead(CommandKindsDocument);
  const [{ fetching, error }, send] = useMutation(SendCommandDocument);
  const [kind, setKind] = useState<CommandKind>('RUN_DIAGNOSTICS');
  const [tags, setTags] = useState(tag ?? '');
  /** What was sent last. The same again, as after an answer that was lost, has the same key: nothing is sent twice. */
  const last = useRef({ input: '', key: '' });
  const reach = useReach(instance, tags);
  const info = data?.commandKinds.find((one) => one.kind === kind);

  const submit = async (form: FormData) => {
    const input = {
      command: kind,
      params: info ? paramsOf(info.paramsSchema, form) : {},
      ...targetOf(instance, tags),
      maxConcurrency: Number(form.get('maxConcurrency')),
      maxErrors: Number(form.get('maxErrors')),
      ignoresWindows: form.get('ignoresWindows') === 'on',
    };
    const text = JSON.stringify(input);
    if (last.current.input !== text) last.current = { input: text, key: onceKey() };
    const { data: sent } = await send({ input: { ...input, idempotencyKey: last.current.key } });
    if (sent) await navigate({ to: '/commands/$id', params: { id: sent.sendCommand.id } });
  };
  return (
    <Page title="Send a command">
      <Problem told={told} retry={read} />
      <form
        className="card form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit(new FormData(event.currentTarget));
        }}
      >
        <Choice
          label="Command"
          value={kind}
          options={(data?.commandKinds ?? []).map((one) => ({ value: one.kind, text: words(one.kind) }))}
          onChange={setKind}
        />
        {info && <p className="quiet">{info.description}</p>}
        {info && <ParamFields key={kind} schema={info.paramsSchema} />}
        {instance === undefined && (
          <Field
            label="To instances with all of these tags"
            value={tags}
            onChange={(event) => setTags(event.target.value)}
            hint="Separated by commas. An instance alone is chosen on its own page."
            required
          />
        )}
        <details>
          <summary>How careful</summary>
          <Field
            label="At the same time, at most"
            name="maxConcurrency"
            type="number"
            min={1}
            max={10_000}
            defaultValue={50}
            required
          />
          <Field
            label="May fail before no other begins"
            name="maxErrors"
            type="number"
            min={0}
            max={10_000}
            defaultValue={0}
            required
          />
          <label className="check">
            <input type="checkbox" name="ignoresWindows" /> Begin outside of maintenance windows too
          </label>
        </details>
        <Reach reach={reach} />
        <Problem told={error && problemOf(error)} />
        <button className="main" disabled={fetching || !info || !reach.total}>
          {fetching ? 'Sending…' : 'Send'}
        </button>
      </form>
    </Page>
  );
}
