import { useState } from 'react';

import { useRead } from '../api/use-read.ts';
import {
  WindowGroupsDocument,
  type CreateMaintenanceWindowInput,
  type MaintenanceWindowEffect,
  type MaintenanceWindowRepeat,
  type WindowRowFragment,
} from '../generated/graphql.ts';
import { Choice, Field, Select } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { exactTime } from '../parts/time.tsx';
import { effects, repeats } from './window-words.ts';
import { localAt, momentAt, ownZone, zonesWith } from './zones.ts';

/** The next full hour: a beginning that is not over before the form is filled in. */
function soon(): Date {
  return new Date(Math.ceil((Date.now() + 1) / 3_600_000) * 3_600_000);
}

/** What a window is. The time is by the clocks of the zone that is chosen; under it stands when that is for the reader. */
export function WindowFields({ window }: { window?: WindowRowFragment }) {
  const { data } = useRead(WindowGroupsDocument);
  const [zone, setZone] = useState(window?.timeZone ?? ownZone);
  const [local, setLocal] = useState(() => localAt(window ? new Date(window.startsAt) : soon(), zone));
  const begins = momentAt(local, zone);
  const groups = data?.instanceGroups.nodes ?? [];
  return (
    <>
      <Field
        label="Name of the window"
        name="name"
        required
        maxLength={200}
        defaultValue={window?.name}
        hint="What it is for, as in: nightly updates."
      />
      <Select label="What it does" name="effect" options={effects} defaultValue={window?.effect ?? 'ALLOW'} />
      <Select
        // The groups come later than the form: the choice begins anew with them.
        key={groups.length}
        label="For"
        name="groupId"
        options={[
          { value: '', text: 'All instances' },
          ...groups.map(({ id, name }) => ({ value: id, text: `The group ${name}` })),
        ]}
        defaultValue={window?.groupId ?? ''}
      />
      <Field
        label="Begins"
        name="startsAt"
        type="datetime-local"
        required
        value={local}
        onChange={(event) => setLocal(event.target.value)}
        hint={
          begins
            ? `By the clocks of ${zone}. For you that is ${exactTime(begins.toISOString())}.`
            : `By the clocks of ${zone}.`
        }
      />
      <Choice
        label="Time zone"
        name="timeZone"
        value={zone}
        options={zonesWith(ownZone, zone).map((value) => ({ value, text: value }))}
        onChange={setZone}
      />
      <Select label="How often" name="repeats" options={repeats} defaultValue={window?.repeats ?? 'NEVER'} />
      <Field
        label="For how long, in minutes"
        name="durationMinutes"
        type="number"
        required
        min={5}
        max={43_200}
        defaultValue={window?.durationMinutes ?? 120}
        hint="From 5 to 43200, and less than the time until it comes again."
      />
    </>
  );
}

export function windowOf(form: FormData): CreateMaintenanceWindowInput {
  const timeZone = textOf(form, 'timeZone');
  return {
    name: textOf(form, 'name'),
    effect: textOf(form, 'effect') as MaintenanceWindowEffect,
    groupId: textOf(form, 'groupId') || null,
    startsAt: momentAt(textOf(form, 'startsAt'), timeZone)?.toISOString() ?? '',
    durationMinutes: Number(form.get('durationMinutes')),
    repeats: textOf(form, 'repeats') as MaintenanceWindowRepeat,
    timeZone,
  };
}
