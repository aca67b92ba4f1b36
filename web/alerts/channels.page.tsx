import { useState } from 'react';

import { problemOf } from '../api/problem.ts';
import { usePages } from '../api/use-pages.ts';
import { ChannelsDocument } from '../generated/graphql.ts';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { useViewer } from '../session/viewer.tsx';
import { ChannelLine } from './channel-line.tsx';
import { Deliveries, useDeliveries } from './deliveries.tsx';
import { NewChannel } from './new-channel.tsx';
import { AlertTabs } from './tabs.tsx';
import { WebhookSecret, type ShownSecret } from './webhook-secret.tsx';

/** Where alerts are told, and what became of it. */
export default function ChannelsPage() {
  const { may } = useViewer();
  const isManager = may('fleet.channel.manage');
  const [shown, setShown] = useState<ShownSecret>();
  const channels = usePages(ChannelsDocument, {}, ({ notificationChannels }) => notificationChannels);
  const deliveries = useDeliveries();
  const { rows, error, hasMore, more, reload } = channels;
  return (
    <Page title="Channels" actions={<AlertTabs />}>
      <div className="cards">
        <Listing
          title="Told of alerts"
          rows={rows}
          told={error && problemOf(error)}
          retry={reload}
          more={hasMore ? more : undefined}
          empty={
            isManager
              ? 'Nobody is told of alerts yet. Make a channel below: a mail or a webhook.'
              : 'Nobody is told of alerts yet.'
          }
          keyOf={({ id }) => id}
          render={(channel) => (
            <ChannelLine
              channel={channel}
              onChange={() => {
                reload();
                deliveries.reload();
              }}
              onTested={deliveries.reload}
              onSecret={setShown}
            />
          )}
        />
        {isManager && <NewChannel onMade={reload} onSecret={setShown} />}
        <Deliveries
          pages={deliveries}
          nameOf={(channelId) =>
            rows?.find(({ id }) => id === channelId)?.name ??
            // Only once all of them are known.
            (rows && !hasMore ? 'A channel that was removed' : `Channel ${channelId}`)
          }
        />
      </div>
      {shown && <WebhookSecret of={shown} onClose={() => setShown(undefined)} />}
    </Page>
  );
}
