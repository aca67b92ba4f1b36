import type { AlertSeverity, ChannelRowFragment, NotificationChannelKind } from '../generated/graphql.ts';
import { Field, Select } from '../parts/field.tsx';
import { textOf, wordsIn } from '../parts/form.ts';
import { words } from '../parts/words.ts';
import { severities } from './alert-search.ts';

interface ChannelFieldsProps {
  kind: NotificationChannelKind;
  /** The one that is changed; none for a new one. */
  channel?: ChannelRowFragment;
}

/** What a channel is, and what it is told of. */
export function ChannelFields({ kind, channel }: ChannelFieldsProps) {
  return (
    <>
      <Field
        label="Name of the channel"
        name="name"
        required
        maxLength={200}
        defaultValue={channel?.name}
        hint="As in: whoever is on call."
      />
      {kind === 'WEBHOOK' ? (
        <Field
          label="Address of the webhook"
          name="url"
          type="url"
          required
          maxLength={2000}
          defaultValue={channel?.url ?? undefined}
          hint="An http or https address that can be reached from the public internet."
        />
      ) : (
        <Field
          label="E-mail addresses"
          name="recipients"
          required
          defaultValue={channel?.addresses.map(({ email }) => email).join(', ')}
          hint="Up to 10, separated by commas. Each is mailed a link, and nothing else until that was followed."
        />
      )}
      <Select
        label="From severity"
        name="minimumSeverity"
        options={severities.map((value) => ({ value, text: words(value) }))}
        defaultValue={channel?.minimumSeverity ?? 'WARNING'}
      />
      <Field
        label="Told again after, in minutes"
        name="repeatIntervalMinutes"
        type="number"
        min={0}
        max={10_080}
        required
        defaultValue={channel?.repeatIntervalMinutes ?? 240}
        hint="While an alert fires and nobody has acknowledged it. 0 for never, or 5 to 10080."
      />
      <label className="check">
        <input type="checkbox" name="tellsResolved" defaultChecked={channel?.tellsResolved ?? true} /> Also
        when alerts are over
      </label>
      <label className="check">
        <input type="checkbox" name="tellsCanaries" defaultChecked={channel?.tellsCanaries ?? true} /> Also of
        canaries that wait or were taken back
      </label>
      <label className="check">
        <input type="checkbox" name="tellsGitOps" defaultChecked={channel?.tellsGitOps ?? true} /> Also of
        repositories that are degraded
      </label>
    </>
  );
}

/** What was filled in of all that channels of both kinds have. */
export function channelOf(form: FormData) {
  return {
    name: textOf(form, 'name'),
    minimumSeverity: textOf(form, 'minimumSeverity') as AlertSeverity,
    repeatIntervalMinutes: Number(form.get('repeatIntervalMinutes')),
    tellsResolved: form.get('tellsResolved') === 'on',
    tellsCanaries: form.get('tellsCanaries') === 'on',
    tellsGitOps: form.get('tellsGitOps') === 'on',
  };
}

export function recipientsOf(form: FormData): string[] {
  return wordsIn(textOf(form, 'recipients'));
}

/** The same of a channel that is there, as its form would give it. */
export function settingsOf(channel: ChannelRowFragment) {
  const { kind, name, minimumSeverity, repeatIntervalMinutes, url, addresses } = channel;
  const { tellsResolved, tellsCanaries, tellsGitOps } = channel;
  const common = {
    name,
    minimumSeverity,
    repeatIntervalMinutes,
    tellsResolved,
    tellsCanaries,
    tellsGitOps,
  };
  return kind === 'WEBHOOK'
    ? { ...common, ...(url === null ? {} : { url }) }
    : { ...common, recipients: addresses.map(({ email }) => email) };
}
