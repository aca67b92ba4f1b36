import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useMutation } from 'urql';

import { problemOf } from '../api/problem.ts';
import { useRead } from '../api/use-read.ts';
import {
  CommandKindsDocument,
  SendCommandDocument,
  type CommandKind,
  type SendCommandInput,
} from '../generated/graphql.ts';
import { everyone, isForNobody, ScopeFields, type Scope } from '../governance/scope.tsx';
import { lastMoment } from '../maintenance/zones.ts';
import { Choice, Field } from '../parts/field.tsx';
import { useOnceKeys } from '../parts/once-key.ts';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { words } from '../parts/words.ts';
import { inputOf } from './command-form.ts';
import { ParamFields } from './param-fields.tsx';
import { Preview, usePreview } from './preview.tsx';

const route = getRouteApi('/commands/new');

/** Sends a command, after showing what would become of it. */
export default function NewCommandPage() {
  const { instance, tag } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, told, read } = useRead(CommandKindsDocument);
  const [{ fetching, error }, send] = useMutation(SendCommandDocument);
  const [kind, setKind] = useState<CommandKind>('RUN_DIAGNOSTICS');
  const [scope, setScope] = useState<Scope>({ ...everyone, kind: 'tags', tags: tag ?? '' });
  const once = useOnceKeys();
  const form = useRef<HTMLFormElement>(null);
  const [input, setInput] = useState<SendCommandInput>();
  const info = data?.commandKinds.find((one) => one.kind === kind);
  const schema = info?.paramsSchema;
  const preview = usePreview(input);
  const isUnaddressed = instance === undefined && isForNobody(scope);

  const look = () => {
    const isComplete = schema !== undefined && !isUnaddressed && form.current?.matches(':valid');
    setInput(isComplete ? inputOf(form.current!, { kind, schema, instance, scope }) : undefined);
  };
  // Of another kind the fields are others, and are there only now.
  useEffect(look, [kind, schema, instance, scope]);

  const submit = async () => {
    if (!input) return;
    const { data: sent } = await send({ input: once.keyed(input) });
    if (sent) await navigate({ to: '/commands/$id', params: { id: sent.sendCommand.id } });
  };
  const missing = isUnaddressed
    ? 'Choose whom it is for.'
    : input || !info
      ? undefined
      : 'Fill in what the command takes, and what it would do is shown here.';
  return (
    <Page title="Send a command">
      <Problem told={told} retry={read} />
      <form
        ref={form}
        className="card form"
        onChange={look}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
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
        {instance === undefined && <ScopeFields scope={scope} onChange={setScope} withoutAll />}
        <Field
          label="It begins"
          name="startAt"
          type="datetime-local"
          max={lastMoment}
          hint="By your clocks, at most 30 days ahead. Left empty it begins at once."
        />
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
        <Preview preview={preview} missing={missing} startAt={input?.startAt} />
        <Problem told={error && problemOf(error, 'change by key')} />
        <div className="actions">
          <button className="main" disabled={fetching || !preview.foreseen}>
            {fetching ? 'Sending…' : 'Send'}
          </button>
        </div>
      </form>
    </Page>
  );
}
