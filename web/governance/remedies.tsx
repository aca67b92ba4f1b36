import { getRouteApi, Link } from '@tanstack/react-router';

import { problemOf } from '../api/problem.ts';
import type { usePages } from '../api/use-pages.ts';
import type { PolicyRemediationsQuery } from '../generated/graphql.ts';
import { useWho } from '../organization/use-member-names.ts';
import { Choice } from '../parts/field.tsx';
import { Listing } from '../parts/listing.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { remediationStatuses } from './policy-search.ts';

const route = getRouteApi('/governance/policies/$id');

type Remedy = PolicyRemediationsQuery['policyRemediations']['nodes'][number];
type Pages = Omit<ReturnType<typeof usePages>, 'rows' | 'put'> & { rows: readonly Remedy[] | undefined };

/** What was sent to mend what the policy finds, by whom, and what became of it. */
export function Remedies({ pages: { rows, error, hasMore, more, reload } }: { pages: Pages }) {
  const who = useWho();
  const { remedies: status } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Listing
      title="Remedies"
      rows={rows}
      told={error && problemOf(error)}
      retry={reload}
      more={hasMore ? more : undefined}
      filters={
        <Choice
          label="State of the remedies"
          value={status ?? ''}
          options={[
            { value: '', text: 'Any' },
            ...remediationStatuses.map((value) => ({ value, text: words(value) })),
          ]}
          onChange={(value) =>
            void navigate({ search: value === '' ? {} : { remedies: value }, replace: true })
          }
        />
      }
      empty={status ? 'None is in this state.' : 'None was sent yet.'}
      keyOf={({ id }) => id}
      render={({
        command,
        instanceId,
        instance,
        instanceName,
        isAutomatic,
        requestedBy,
        commandId,
        ...remedy
      }) => (
        <div>
          <Status of={remedy.status} />{' '}
          {commandId ? (
            <Link to="/commands/$id" params={{ id: commandId }}>
              {words(command)}
            </Link>
          ) : (
            words(command)
          )}{' '}
          to{' '}
          {instance ? (
            <Link to="/instances/$id" params={{ id: instanceId }}>
              {instance.name}
            </Link>
          ) : (
            (instanceName ?? instanceId)
          )}
          {remedy.message && <p className="wrong">{remedy.message}</p>}
          <p className="quiet">
            {isAutomatic ? 'by itself' : `by ${who(requestedBy)}`} <Time at={remedy.createdAt} />
          </p>
        </div>
      )}
    />
  );
}
