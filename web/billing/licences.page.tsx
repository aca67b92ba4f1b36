import { getRouteApi, Link } from '@tanstack/react-router';

import { problemOf } from '../api/problem.ts';
import { useDue } from '../api/use-due.ts';
import { useFollowed } from '../api/use-followed.ts';
import { usePages } from '../api/use-pages.ts';
import {
  FleetHealthChangedDocument,
  LicencesDocument,
  SubscriptionChangedDocument,
  type FleetHealthChangedSubscription,
  type LicencesQuery,
} from '../generated/graphql.ts';
import { Choice } from '../parts/field.tsx';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Status } from '../parts/status.tsx';
import { exactTime, Time } from '../parts/time.tsx';
import { plural, words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { licenceStatuses } from './licence-search.ts';

type Licence = LicencesQuery['licences']['nodes'][number];

const route = getRouteApi('/licences');

const statusTexts = { ACTIVE: 'Those that hold', EXPIRED: 'Those that have ended' } as const;

/** Which node may do what, until when, and what is to be done so that it may go on. */
export default function LicencesPage() {
  const { may } = useViewer();
  const { status } = route.useSearch();
  const navigate = route.useNavigate();
  const { rows, total, error, hasMore, more, reload } = usePages(
    LicencesDocument,
    { filter: { status: status ?? null } },
    ({ licences }) => licences,
  );
  // Of nodes that come and go, and of another plan or a payment. That one is issued anew, or ends, no event tells.
  const isOtherNumber = ({ fleetHealthChanged }: FleetHealthChangedSubscription) =>
    status !== undefined || fleetHealthChanged.totalInstances !== total;
  useFollowed(FleetHealthChangedDocument, {}, reload, may('fleet.instance.read'), isOtherNumber);
  useFollowed(SubscriptionChangedDocument, {}, reload, may('billing.subscription.read'));
  useDue(rows?.flatMap((licence) => [licence.renewsAt, endOf(licence)]) ?? [], rows, reload);
  return (
    <Page title="Licences">
      <p>
        Each instance has a licence that it can verify by itself, also while it is cut off from the panel. It
        holds for 35 days and is issued anew 14 days before it ends; the instance fetches it then by itself.
      </p>
      <Listing
        title="Licences of instances"
        rows={rows}
        told={error && problemOf(error)}
        retry={reload}
        note={total === undefined || total === 0 ? undefined : plural(total, 'licence')}
        filters={
          <Choice
            label="Show"
            value={status ?? ''}
            options={[
              { value: '', text: 'All' },
              ...licenceStatuses.map((value) => ({ value, text: statusTexts[value] })),
            ]}
            onChange={(value) =>
              void navigate({ search: value === '' ? {} : { status: value }, replace: true })
            }
          />
        }
        more={hasMore ? more : undefined}
        empty={
          status === undefined
            ? 'No instance has one yet: it comes some moments after an instance has enrolled.'
            : 'None is like this.'
        }
        keyOf={({ id }) => id}
        render={(licence) => <LicenceLine licence={licence} />}
      />
    </Page>
  );
}

/** When it ends, as long as it has not. */
function endOf({ status, expiresAt }: Licence): string | null {
  return status === 'ACTIVE' ? expiresAt : null;
}

function LicenceLine({ licence }: { licence: Licence }) {
  const { instanceId, instance, plan, features, issuedAt, expiresAt, status } = licence;
  return (
    <div>
      <Status of={status} />{' '}
      {instance ? (
        <Link to="/instances/$id" params={{ id: instance.id }}>
          {instance.name}
        </Link>
      ) : (
        <code>{instanceId}</code>
      )}{' '}
      {words(plan)}, {status === 'ACTIVE' ? 'ends' : 'ended'} <Time at={expiresAt} isKey />
      <p>
        <WhatToDo licence={licence} />
      </p>
      <p className="quiet">
        Issued <Time at={issuedAt} />, for {features.join(', ') || 'nothing beside the fleet'}
      </p>
    </div>
  );
}

/** What stands against it, and who can do something about it. */
function WhatToDo({ licence: { code, renewsAt, expiresAt } }: { licence: Licence }) {
  if (code === 'FREED') return 'Its node has left the fleet: there is nothing to be done.';
  if (renewsAt === null) {
    return (
      <span className="wrong">
        A payment is overdue.{' '}
        {code === 'EXPIRED'
          ? 'It is issued anew within minutes once that is made.'
          : `Unless that is made it is not issued anew, and the instance is without it from ${exactTime(expiresAt)} on.`}{' '}
        <Link to="/billing">See the billing</Link>
      </span>
    );
  }
  if (code === 'EXPIRED') {
    return (
      <span className="wrong">
        Nothing stands against it, and it is issued anew within minutes. If it is not, tell whoever runs this
        panel.
      </span>
    );
  }
  return (
    <>
      Nothing is to be done: it is issued anew <Time at={renewsAt} />.
    </>
  );
}
