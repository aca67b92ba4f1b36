import { useState } from 'react';

import {
  DeleteNotificationChannelDocument,
  SendAddressConfirmationsDocument,
  SendTestNotificationDocument,
  UpdateNotificationChannelDocument,
  type ChannelRowFragment,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { changedOf } from '../parts/changed.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { textOf } from '../parts/form.ts';
import { Status } from '../parts/status.tsx';
import { exactTime } from '../parts/time.tsx';
import { durationText, words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { ChannelFields, channelOf, recipientsOf, settingsOf } from './channel-fields.tsx';
import { AnotherSecret, type ShownSecret } from './webhook-secret.tsx';

interface ChannelLineProps {
  channel: ChannelRowFragment;
  onChange: () => void;
  onTested: () => void;
  onSecret: (secret: ShownSecret) => void;
}

/** One channel with what can be done about it. */
export function ChannelLine({ channel, onChange, onTested, onSecret }: ChannelLineProps) {
  const { may } = useViewer();
  /** As it was when editing began. */
  const [edited, setEdited] = useState<ChannelRowFragment>();
  const [isRotating, setRotating] = useState(false);
  const { id, kind, name, isEnabled, disabledReason, addresses } = channel;
  const hasUnconfirmed = addresses.some(({ isConfirmed }) => !isConfirmed);
  return (
    <>
      <div>
        <Status of={isEnabled ? 'ACTIVE' : 'OFF'} /> <strong>{name}</strong>{' '}
        {kind === 'WEBHOOK' ? 'Webhook' : 'E-mail'}
        {disabledReason && <p className="wrong">Switched off by the panel: {disabledReason}.</p>}
        {channel.url && (
          <p>
            <code>{channel.url}</code>
          </p>
        )}
        <Addresses of={channel} />
        <p className="quiet">{toldOf(channel)}</p>
      </div>
      {may('fleet.channel.manage') && (
        <div className="actions">
          <Action
            document={SendTestNotificationDocument}
            variables={{ channelId: id }}
            text="Test"
            label={`Send a test to ${name}`}
            done={`A test is on its way to ${name}. What became of it stands below.`}
            onDone={onTested}
          />
          <button
            type="button"
            aria-haspopup="dialog"
            aria-label={`Edit ${name}`}
            onClick={() => setEdited(channel)}
          >
            Edit
          </button>
          <Action
            document={UpdateNotificationChannelDocument}
            variables={{ input: { id, isEnabled: !isEnabled } }}
            text={isEnabled ? 'Switch off' : 'Switch on'}
            label={`${isEnabled ? 'Switch off' : 'Switch on'} ${name}`}
            done={`${name} is ${isEnabled ? 'off' : 'on'}.`}
            onDone={onChange}
          />
          {hasUnconfirmed && (
            <Action
              document={SendAddressConfirmationsDocument}
              variables={{ channelId: id }}
              text="Mail the links again"
              label={`Mail the links again to ${name}`}
              done="Links are mailed to those who have not confirmed; at most one within 10 minutes, and five in all."
              onDone={onChange}
            />
          )}
          {kind === 'WEBHOOK' && (
            <button
              type="button"
              aria-haspopup="dialog"
              aria-label={`Another secret for ${name}`}
              onClick={() => setRotating(true)}
            >
              Another secret
            </button>
          )}
          <Action
            document={DeleteNotificationChannelDocument}
            variables={{ id }}
            text="Remove"
            label={`Remove ${name}`}
            confirm="It is told of nothing any more, and what is on its way to it is given up."
            done={`${name} is removed.`}
            onDone={onChange}
          />
        </div>
      )}
      {isRotating && (
        <AnotherSecret
          channel={channel}
          onClose={() => setRotating(false)}
          onDone={(secret) => {
            onSecret({ secret, name });
            onChange();
          }}
        />
      )}
      {edited && (
        <FormDialog
          title={`Channel: ${name}`}
          document={UpdateNotificationChannelDocument}
          variables={(form) => ({
            input: {
              id,
              ...changedOf(settingsOf(edited), {
                ...channelOf(form),
                ...(kind === 'WEBHOOK' ? { url: textOf(form, 'url') } : { recipients: recipientsOf(form) }),
              }),
            },
          })}
          submit="Save"
          done={`${name} is changed.`}
          onClose={() => setEdited(undefined)}
          onDone={onChange}
        >
          <ChannelFields kind={kind} channel={edited} />
        </FormDialog>
      )}
    </>
  );
}

function Addresses({ of: { addresses } }: { of: ChannelRowFragment }) {
  if (addresses.length === 0) return null;
  return (
    <ul className="lines">
      {addresses.map(({ email, isConfirmed, mailedAt }) => (
        <li key={email}>
          {email}:{' '}
          {isConfirmed
            ? 'confirmed'
            : `not confirmed, so it gets no alerts${mailedAt ? `; the link was mailed ${exactTime(mailedAt)}` : ''}`}
        </li>
      ))}
    </ul>
  );
}

function toldOf(channel: ChannelRowFragment): string {
  const { minimumSeverity, tellsResolved, tellsCanaries, tellsGitOps } = channel;
  const { repeatIntervalMinutes, previousSecretUntil } = channel;
  const also = [
    ...(tellsResolved ? ['ends'] : []),
    ...(tellsCanaries ? ['canaries'] : []),
    ...(tellsGitOps ? ['GitOps'] : []),
  ];
  const again =
    repeatIntervalMinutes === 0
      ? 'told once'
      : `told again every ${durationText(repeatIntervalMinutes * 60)}`;
  const secret =
    previousSecretUntil && new Date(previousSecretUntil) > new Date()
      ? `, signed with the former secret too until ${exactTime(previousSecretUntil)}`
      : '';
  return `From ${words(minimumSeverity).toLowerCase()} on, ${again}${also.length > 0 ? `, also of ${also.join(', ')}` : ''}${secret}`;
}
