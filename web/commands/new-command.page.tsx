import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useMutation } from 'urql';

import { problemOf, type Told } from '../api/problem.ts';
import { useRead } from '../api/use-read.ts';
import {
  CommandKindsDocument,
  SendCommandDocument,
  type CommandKind,
  type SendCommandInput,
} from '../generated/graphql.ts';
import { everyone, isForNobody, ScopeFields, type Scope } from '../governance/scope.tsx';
import { lastMoment } from '../maintenance/zones.ts';
import { FaultsOf, focusFirstFaulty, nothingPlaced, place } from '../parts/faults.tsx';
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
  const { instance, tag, group } = route.useSearch();
  const navigate = route.useNavigate();
  const kinds = useRead(CommandKindsDocument);
  const [{ fetching }, send] = useMutation(SendCommandDocument);
  const [kind, setKind] = useState<CommandKind>('RUN_DIAGNOSTICS');
  const [scope, setScope] = useState<Scope>(
    group === undefined
      ? { ...everyone, kind: 'tags', tags: tag ?? '' }
      : { ...everyone, kind: 'groups', groupIds: [group] },
  );
  const once = useOnceKeys();
  const form = useRef<HTMLFormElement>(null);
  const [input, setInput] = useState<SendCommandInput>();
  const info = kinds.data?.commandKinds.find((one) => one.kind === kind);
  const schema = info?.paramsSchema;
  const preview = usePreview(input);
  /** Of what was sent, until it is changed. */
  const [refusal, setRefusal] = useState<Told>();
  const told = preview.told ?? refusal;
  const [{ beside, told: wrong }, setPlaced] = useState(nothingPlaced);
  useEffect(() => setPlaced(told && form.current ? place(form.current, told) : nothingPlaced), [told]);
  // Whoever still fills it in has the focus where they are.
  useEffect(() => {
    if (refusal) focusFirstFaulty(form.current);
  }, [refusal, beside]);
  const isUnaddressed = instance === undefined && isForNobody(scope);

  const look = () => {
    const isComplete = schema !== undefined && !isUnaddressed && form.current?.matches(':valid');
    setRefusal(undefined);
    setInput(isComplete ? inputOf(form.current!, { kind, schema, instance, scope }) : undefined);
  };
  // Of another kind the fields are others, and are there only now.
  useEffect(look, [kind, schema, instance, scope]);

  const submit = async () => {
    if (!input) return;
    const { data: sent, error } = await send({ input: once.keyed(input) });
    setRefusal(error && problemOf(error, 'change by key'));
    if (sent) await navigate({ to: '/commands/$id', params: { id: sent.sendCommand.id } });
  };
  const missing = isUnaddressed
    ? 'Choose whom it is for.'
    : input || !info
      ? undefined
      : 'Fill in what the command takes, and what it would do is shown here.';
  return (
    <Page title="Send a command">
      <Problem told={kinds.told} retry={kinds.read} />
      <form
        ref={form}
        className="card form"
        onChange={look}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <FaultsOf value={beside}>
          <Choice
            label="Command"
            value={kind}
            options={(kinds.data?.commandKinds ?? []).map((one) => ({
              value: one.kind,
              text: words(one.kind),
            }))}
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
            <Field
              label="Minutes to take it up"
              name="deliveryTimeoutSeconds"
              type="number"
              min={1}
              max={2_880}
              defaultValue={60}
              required
              hint="From its beginning on. Who has not by then does not get it."
            />
            <Field
              label="Minutes to be through with it"
              name="executionTimeoutSeconds"
              type="number"
              min={1}
              max={2_880}
              defaultValue={60}
              required
              hint="Where it takes longer it counts as failed."
            />
            <label className="check">
              <input type="checkbox" name="ignoresWindows" /> Begin outside of maintenance windows too
            </label>
          </details>
        </FaultsOf>
        <Preview
          preview={{ ...preview, told: preview.told && wrong }}
          missing={missing}
          startAt={input?.startAt}
        />
        <Problem told={preview.told ? undefined : wrong} />
        <div className="actions">
          <button className="main" disabled={fetching || !preview.foreseen}>
            {fetching ? 'Sending…' : 'Send'}
          </button>
        </div>
      </form>
    </Page>
  );
}
