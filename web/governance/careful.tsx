import { Fragment, useState } from 'react';

import type { CanaryRowFragment, CreateCanaryInput, OrderedCommand } from '../generated/graphql.ts';
import { Choice, Field } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';

const commands: readonly { value: '' | OrderedCommand; text: string }[] = [
  { value: '', text: 'An update by what ran before, anything else not at all' },
  { value: 'UPDATE', text: 'By an update' },
  { value: 'RESTART', text: 'By a restart' },
  { value: 'BACKUP', text: 'By a backup' },
  { value: 'RUN_DIAGNOSTICS', text: 'By diagnostics' },
];

export type CanaryStep = CanaryRowFragment['steps'][number];

interface StepFieldsProps {
  /** Percents, as they were typed. */
  steps: readonly string[];
  /** Of a canary that is there: what its steps are filled in with. */
  before?: readonly CanaryStep[];
}

/** How long each step is watched, and whether somebody has to say that it goes on. */
export function StepFields({ steps, before }: StepFieldsProps) {
  return steps.map((percent, at) => {
    const was = before?.find((step) => step.percent === Number(percent));
    return (
      <Fragment key={percent}>
        <Field
          label={`Minutes that ${percent} % are watched`}
          name={`steps.${at}.bakeSeconds`}
          type="number"
          step="any"
          defaultValue={was && was.bakeSeconds / 60}
          {...(before ? { required: true } : { hint: 'As all of them where this is left empty.' })}
        />
        <label className="check">
          <input type="checkbox" name={`steps.${at}.waits`} defaultChecked={was?.waits} /> After {percent} %,
          wait until somebody resumes it
        </label>
      </Fragment>
    );
  });
}

/** What was filled in of each; `bakeSeconds` where nothing was. */
export function stepsOf(form: FormData, steps: readonly string[], bakeSeconds = 0) {
  return steps.map((percent, at) => ({
    percent: Number(percent),
    bakeSeconds: secondsOf(form, `steps.${at}.bakeSeconds`) ?? bakeSeconds,
    waits: form.get(`steps.${at}.waits`) === 'on',
  }));
}

/**
 * What a canary has by default, and can be given otherwise. Its section may be closed: what is wrong with a field is for the
 * panel to say, as a browser would stop at one that nobody sees.
 */
export function CarefulFields({ steps }: { steps: readonly string[] }) {
  const [rollback, setRollback] = useState<'' | OrderedCommand>('');
  return (
    <details>
      <summary>How careful</summary>
      <StepFields steps={steps} />
      <Choice
        label="How it is taken back"
        name="rollback.command"
        value={rollback}
        options={commands}
        onChange={setRollback}
      />
      {rollback === 'UPDATE' && (
        <Field label="Back to version" name="rollback.params.version" hint="As in 0.2.9." />
      )}
      <Field
        label="Comparisons of a step that may fail"
        name="analysis.failureLimit"
        type="number"
        defaultValue={0}
        hint="With one more it is taken back."
      />
      <Field
        label="Seconds between comparisons"
        name="analysis.intervalSeconds"
        type="number"
        defaultValue={60}
      />
      <Field
        label="Points that processor and memory may rise"
        name="analysis.maxRisePercent"
        type="number"
        defaultValue={20}
        hint="Beyond what they rise on the others meanwhile."
      />
      <Field
        label="Points that the score may fall"
        name="analysis.maxScoreDrop"
        type="number"
        defaultValue={5}
        hint="Beyond what it falls on the others meanwhile."
      />
      <Field
        label="Minutes within which the command has to end"
        name="progressDeadlineSeconds"
        type="number"
        defaultValue={60}
        hint="Half of them to be taken up, half to be done. It is taken back else."
      />
      <Field
        label="It begins"
        name="startAt"
        type="datetime-local"
        hint="By your clocks. Left empty it begins at once."
      />
      <label className="check">
        <input type="checkbox" name="ignoresWindows" /> Begin outside of maintenance windows too
      </label>
    </details>
  );
}

/** What was filled in. What was left empty is as it is by default. */
export function carefulOf(form: FormData, steps: readonly string[], bakeSeconds: number) {
  const startAt = textOf(form, 'startAt');
  return {
    steps: stepsOf(form, steps, bakeSeconds),
    rollback: rollbackOf(form),
    analysis: {
      failureLimit: numberOf(form, 'analysis.failureLimit'),
      intervalSeconds: numberOf(form, 'analysis.intervalSeconds'),
      maxRisePercent: numberOf(form, 'analysis.maxRisePercent'),
      maxScoreDrop: numberOf(form, 'analysis.maxScoreDrop'),
    },
    progressDeadlineSeconds: secondsOf(form, 'progressDeadlineSeconds'),
    ignoresWindows: form.get('ignoresWindows') === 'on',
    // Without a zone in it the browser takes it for a time by the reader's clocks.
    startAt: startAt ? new Date(startAt).toISOString() : null,
  };
}

function rollbackOf(form: FormData): CreateCanaryInput['rollback'] {
  const command = textOf(form, 'rollback.command') as '' | OrderedCommand;
  if (command === '') return null;
  return {
    command,
    params: command === 'UPDATE' ? { version: textOf(form, 'rollback.params.version') } : {},
  };
}

function numberOf(form: FormData, name: string): number | null {
  const text = textOf(form, name);
  return text === '' ? null : Number(text);
}

/** Of minutes. */
function secondsOf(form: FormData, name: string): number | null {
  const minutes = numberOf(form, name);
  return minutes === null ? null : Math.round(minutes * 60);
}
