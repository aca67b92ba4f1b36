import { useState } from 'react';

import type { Reading } from '../api/use-read.ts';
import type {
  CreateMaintenanceWindowInput,
  MaintenanceWindowEffect,
  MaintenanceWindowRepeat,
  Weekday,
  GroupNamesQuery,
  WindowRowFragment,
} from '../generated/graphql.ts';
import { Choice, Field, FieldGroup, Select } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { Problem } from '../parts/problem.tsx';
import { exactTime } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { effects, repeats, weekdays, weekText } from './window-words.ts';
import { lastMoment, localAt, momentAt, ownZone, zonesWith } from './zones.ts';

/** The next full hour: a beginning that is not over before the form is filled in. */
function soon(): Date {
  return new Date(Math.ceil((Date.now() + 1) / 3_600_000) * 3_600_000);
}

interface WindowFieldsProps {
  window?: WindowRowFragment;
  /** Those that it can be for. */
  groups: Reading<GroupNamesQuery>;
}

/** What a window is. The time is by the clocks of the zone that is chosen; under it stands when that is for the reader. */
export function WindowFields({ window, groups }: WindowFieldsProps) {
  const [groupId, setGroupId] = useState(window?.groupId ?? '');
  const [zone, setZone] = useState(window?.timeZone ?? ownZone);
  const [local, setLocal] = useState(() => localAt(window ? new Date(window.startsAt) : soon(), zone));
  const [comes, setComes] = useState<MaintenanceWindowRepeat>(window?.repeats ?? 'NEVER');
  const begins = momentAt(local, zone);
  const known = groups.data?.instanceGroups.nodes ?? [];
  // What is chosen is never left out, whatever can be read of it.
  const isUnknown = groupId !== '' && known.every(({ id }) => id !== groupId);
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
      <Choice
        label="For"
        name="groupId"
        value={groupId}
        options={[
          { value: '', text: 'All instances' },
          ...(isUnknown ? [{ value: groupId, text: 'The group that it is for' }] : []),
          ...known.map(({ id, name }) => ({ value: id, text: `The group ${name}` })),
        ]}
        onChange={setGroupId}
      />
      <Problem told={groups.told} retry={groups.read} />
      <Field
        label="Begins"
        name="startsAt"
        type="datetime-local"
        required
        max={lastMoment}
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
      <Choice label="How often" name="repeats" value={comes} options={repeats} onChange={setComes} />
      {comes === 'WEEKLY' && <DayFields days={window?.days ?? []} />}
      {comes === 'MONTHLY' && <WeekField local={local} week={window?.weekOfMonth} />}
      {comes !== 'NEVER' && (
        <Field
          label="Begins no more from"
          name="endsAt"
          type="datetime-local"
          max={lastMoment}
          defaultValue={window?.endsAt ? localAt(new Date(window.endsAt), zone) : ''}
          hint="By the same clocks. Left empty it goes on."
        />
      )}
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

/** Those of a week; none is the one on which it begins. */
function DayFields({ days }: { days: readonly Weekday[] }) {
  return (
    <FieldGroup legend="On these days, if on several" name="days">
      {weekdays.map((day) => (
        <label key={day} className="check">
          <input type="checkbox" name="days" value={day} defaultChecked={days.includes(day)} /> {words(day)}
        </label>
      ))}
    </FieldGroup>
  );
}

/** Which one of the month its day is: the fourth may be the last as well. */
function WeekField({ local, week }: { local: string; week: number | null | undefined }) {
  const date = new Date(`${local}Z`);
  if (Number.isNaN(date.getTime())) return null;
  const day = date.getUTCDate();
  const days = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  const nth = Math.ceil(day / 7);
  const weeks = [...(nth <= 4 ? [nth] : []), ...(day + 7 > days ? [-1] : [])];
  const weekday = words(weekdays[(date.getUTCDay() + 6) % 7]!);
  return (
    <Select
      key={weeks.join()}
      label="Comes again on"
      name="weekOfMonth"
      options={weeks.map((each) => ({ value: String(each), text: weekText(each, weekday) }))}
      defaultValue={String(week && weeks.includes(week) ? week : weeks[0])}
    />
  );
}

export function windowOf(form: FormData): CreateMaintenanceWindowInput {
  const timeZone = textOf(form, 'timeZone');
  const days = form.getAll('days') as Weekday[];
  return {
    name: textOf(form, 'name'),
    effect: textOf(form, 'effect') as MaintenanceWindowEffect,
    groupId: textOf(form, 'groupId') || null,
    startsAt: momentAt(textOf(form, 'startsAt'), timeZone)?.toISOString() ?? '',
    durationMinutes: Number(form.get('durationMinutes')),
    repeats: textOf(form, 'repeats') as MaintenanceWindowRepeat,
    timeZone,
    days: days.length > 0 ? days : null,
    weekOfMonth: Number(textOf(form, 'weekOfMonth')) || null,
    endsAt: momentAt(textOf(form, 'endsAt'), timeZone)?.toISOString() ?? null,
  };
}

/** The same of a window that is there, as its form would give it. */
export function settingsOf(window: WindowRowFragment): CreateMaintenanceWindowInput {
  const { name, effect, groupId, startsAt, durationMinutes, repeats: comes, timeZone } = window;
  const { days, weekOfMonth, endsAt } = window;
  const ends = endsAt && (momentAt(localAt(new Date(endsAt), timeZone), timeZone)?.toISOString() ?? endsAt);
  const begins = momentAt(localAt(new Date(startsAt), timeZone), timeZone)?.toISOString() ?? startsAt;
  const repeated = { repeats: comes, timeZone, days, weekOfMonth, endsAt: ends };
  return { name, effect, groupId, startsAt: begins, durationMinutes, ...repeated };
}
