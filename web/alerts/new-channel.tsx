import { useState } from 'react';

import {
  CreateEmailChannelDocument,
  CreateWebhookChannelDocument,
  type NotificationChannelKind,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { Choice } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { ChannelFields, channelOf, recipientsOf } from './channel-fields.tsx';
import type { ShownSecret } from './webhook-secret.tsx';

const kinds = [
  { value: 'EMAIL', text: 'E-mail' },
  { value: 'WEBHOOK', text: 'Webhook' },
] as const;

interface NewChannelProps {
  onMade: () => void;
  onSecret: (secret: ShownSecret) => void;
}

/** Where else alerts are to be told. */
export function NewChannel({ onMade, onSecret }: NewChannelProps) {
  const [kind, setKind] = useState<NotificationChannelKind>('EMAIL');
  return (
    <Card title="New channel" className="wide">
      <div className="form">
        <Choice label="How it is told" value={kind} options={kinds} onChange={setKind} />
        {kind === 'EMAIL' ? (
          <ActionForm
            key={kind}
            document={CreateEmailChannelDocument}
            variables={(form) => ({ input: { ...channelOf(form), recipients: recipientsOf(form) } })}
            submit="Make the channel"
            done="The channel is made. Its addresses are mailed a link to confirm."
            onDone={onMade}
          >
            <ChannelFields kind={kind} />
          </ActionForm>
        ) : (
          <ActionForm
            key={kind}
            document={CreateWebhookChannelDocument}
            variables={(form) => ({ input: { ...channelOf(form), url: textOf(form, 'url') } })}
            submit="Make the channel"
            done="The channel is made."
            onDone={({ createWebhookChannel: { secret, channel } }) => {
              onSecret({ secret, name: channel.name });
              onMade();
            }}
          >
            <ChannelFields kind={kind} />
          </ActionForm>
        )}
      </div>
    </Card>
  );
}
