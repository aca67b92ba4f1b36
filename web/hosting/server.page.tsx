import { getRouteApi, Link } from '@tanstack/react-router';

import { useOne } from '../api/use-one.ts';
import {
  ServerDetailDocument,
  ServerProgressedDocument,
  type ServerDetailFragment,
} from '../generated/graphql.ts';
import { TrailLink } from '../organization/trail-link.tsx';
import { Card } from '../parts/card.tsx';
import { One } from '../parts/one.tsx';
import { Page } from '../parts/page.tsx';
import { Status } from '../parts/status.tsx';
import { exactTime, Time } from '../parts/time.tsx';
import { money, words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { OneLikeIt } from './one-like-it.tsx';
import { ServerActions } from './server-actions.tsx';
import { adviceOf } from './server-advice.ts';
import { ServerSteps } from './server-steps.tsx';

const route = getRouteApi('/servers/$id');

/** One server, from its order to its end, live. */
export default function ServerPage() {
  const { id } = route.useParams();
  return <Followed key={id} id={id} />;
}

function Followed({ id }: { id: string }) {
  const { may } = useViewer();
  const { row, told, read } = useOne({
    query: ServerDetailDocument,
    events: ServerProgressedDocument,
    variables: { id, withCosts: may('hosting.cost.read') },
    pick: ({ server }) => server,
    pickEvent: ({ serverChanged }) => serverChanged,
  });
  return (
    <One what="the server" row={row} told={told} retry={read}>
      {(server) => <Shown server={server} onChange={read} />}
    </One>
  );
}

function Shown({ server, onChange }: { server: ServerDetailFragment; onChange: () => void }) {
  const { may } = useViewer();
  const { name, phase, status, reason, message, progress } = server;
  const advice = adviceOf(reason, status);
  const isUnderWay = status === 'PROVISIONING' || status === 'DELETING';
  const isOver = status === 'FAILED' || status === 'DELETED';
  return (
    <Page
      title={name}
      actions={
        <>
          <ServerActions server={server} onChange={onChange} />
          <TrailLink target={server.id} />
        </>
      }
    >
      <p aria-live="polite">
        <Status of={phase} /> {message}
      </p>
      {advice && <p>{advice}</p>}
      {isUnderWay && <progress aria-label={`Progress of ${name}`} value={progress} max={100} />}
      <div className="cards">
        <ServerSteps server={server} />
        <Machine server={server} />
        <Costs server={server} />
        {server.leftovers.length > 0 && <Leftovers server={server} />}
        {isOver && phase !== 'ORPHANED' && may('hosting.server.provision') && <OneLikeIt server={server} />}
      </div>
    </Page>
  );
}

function Machine({ server }: { server: ServerDetailFragment }) {
  const { provider, region, location, size, ipAddress, providerId, tags, isProtected, instance } = server;
  return (
    <Card title="Machine">
      <dl>
        <dt>Provider</dt>
        <dd>
          {provider} <span className="quiet">{providerId ? `calls it ${providerId}` : ''}</span>
        </dd>
        <dt>Region</dt>
        <dd>{region === location ? location : `${location}, of ${region}`}</dd>
        <dt>Size</dt>
        <dd>{size}</dd>
        <dt>Public IPv4 address</dt>
        <dd>{ipAddress ?? 'none yet'}</dd>
        <dt>Instance</dt>
        <dd>
          {instance ? (
            <>
              <Link to="/instances/$id" params={{ id: instance.id }}>
                {instance.name}
              </Link>{' '}
              <Status of={instance.status} />
            </>
          ) : (
            noInstance(server)
          )}
        </dd>
        <dt>Tags of its node</dt>
        <dd>{tags.join(', ') || 'none'}</dd>
        <dt>Protection</dt>
        <dd>{isProtected ? 'It can not be removed before that is taken off.' : 'none'}</dd>
      </dl>
    </Card>
  );
}

function noInstance({ installCloudOs, status }: ServerDetailFragment): string {
  if (!installCloudOs) return 'none: Cloud OS was not asked for';
  return status === 'PROVISIONING' ? 'once its node has enrolled' : 'none';
}

function Costs({ server }: { server: ServerDetailFragment }) {
  const { costSoFar, priceHourly, priceMonthly, ipv4PriceHourly, ipv4PriceMonthly, currency } = server;
  const { createdAt, readyAt, deletedAt } = server;
  return (
    <Card title="Costs">
      {costSoFar !== undefined && (
        <>
          <p className="big">{money(costSoFar, currency)}</p>
          <p>so far, net: begun hours, and no more than a month's price in a calendar month.</p>
        </>
      )}
      <dl>
        <dt>Server</dt>
        <dd>
          {price(priceHourly, currency)} an hour, at most {money(priceMonthly, currency)} a month
        </dd>
        {ipv4PriceMonthly > 0 && (
          <>
            <dt>Its address</dt>
            <dd>
              {price(ipv4PriceHourly, currency)} an hour, at most {money(ipv4PriceMonthly, currency)} a month
            </dd>
          </>
        )}
        <dt>Ordered</dt>
        <dd>
          <Time at={createdAt} />
          {readyAt && `, ready ${exactTime(readyAt)}`}
          {deletedAt && `, gone ${exactTime(deletedAt)}`}
        </dd>
      </dl>
    </Card>
  );
}

/** What nobody but people at the provider can give up. */
function Leftovers({ server: { leftovers, provider } }: { server: ServerDetailFragment }) {
  return (
    <Card title="Left at the provider">
      <p>It was attached to the server, and goes on costing at {provider} until it is deleted there.</p>
      <ul className="lines">
        {leftovers.map(({ kind, providerId, name }) => (
          <li key={`${kind} ${providerId}`}>
            {words(kind)} <strong>{name}</strong>{' '}
            {name !== providerId && <span className="quiet">called {providerId} there</span>}
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** An hour costs fractions of a cent. */
function price(value: number, currency: string): string {
  return new Intl.NumberFormat(undefined, { style: 'currency', currency, maximumFractionDigits: 4 }).format(
    value,
  );
}
