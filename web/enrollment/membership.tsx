import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';

import { problemOf } from '../api/problem.ts';
import { usePages } from '../api/use-pages.ts';
import { useRead } from '../api/use-read.ts';
import {
  CreateReenrollmentTokenDocument,
  DecommissionInstanceDocument,
  FormerInstancesDocument,
  InstancesToKeepDocument,
  RotateInstanceCredentialDocument,
  type InstancesToKeepQuery,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Card } from '../parts/card.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Listing } from '../parts/listing.tsx';
import { Problem } from '../parts/problem.tsx';
import { withoutEmpty } from '../parts/search.ts';
import { Status } from '../parts/status.tsx';
import { exactTime, Time } from '../parts/time.tsx';
import { useTyped } from '../parts/use-typed.ts';
import { plural } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { Copied } from './copied.tsx';
import type { EnrollmentSearch } from './enrollment-search.ts';

const route = getRouteApi('/enrollment');

type Instance = InstancesToKeepQuery['instances']['nodes'][number];

/** Nodes that lost their credential or need another, and those that leave the fleet; and who has left it. */
export function Membership() {
  const { may } = useViewer();
  const navigate = route.useNavigate();
  const { q } = route.useSearch();
  const [typed, setTyped] = useTyped(
    q,
    (text) =>
      void navigate({
        search: (before) => withoutEmpty<EnrollmentSearch>({ ...before, q: text }),
        replace: true,
      }),
  );
  const found = useRead(InstancesToKeepDocument, { variables: { filter: { q: q ?? null } } });
  const former = usePages(FormerInstancesDocument, {}, ({ formerInstances }) => formerInstances);
  const instances = found.data?.instances;
  return (
    <>
      {(may('fleet.credential.rotate') || may('fleet.instance.decommission')) && (
        <Card title="Nodes that are here" className="wide">
          <Field
            label="Name or host of the node"
            type="search"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
          <Problem told={found.told} retry={found.read} />
          <p role="status" className="quiet">
            {instances && shownText(instances)}
          </p>
          <ul className="rows" aria-label="Nodes that are here">
            {instances?.nodes.map((instance) => (
              <li key={instance.id} className="row">
                <InstanceLine
                  instance={instance}
                  onLeft={() => {
                    found.read();
                    former.reload();
                  }}
                />
              </li>
            ))}
          </ul>
        </Card>
      )}
      <Listing
        title="Nodes that have left"
        rows={former.rows}
        told={former.error && problemOf(former.error)}
        retry={former.reload}
        more={former.hasMore ? former.more : undefined}
        empty="None has left the fleet."
        keyOf={({ id }) => id}
        render={({ name, hostname, version, lastSeen, decommissionedAt }) => (
          <div>
            <strong>{name}</strong> {hostname}, version {version}
            <p className="quiet">
              left <Time at={decommissionedAt} />, last seen <Time at={lastSeen} />
            </p>
          </div>
        )}
      />
    </>
  );
}

function shownText({ totalCount, nodes }: InstancesToKeepQuery['instances']): string {
  if (totalCount === 0) return 'No node is called so.';
  return totalCount > nodes.length
    ? `${nodes.length} of ${plural(totalCount, 'node')}: type more of the name to find others.`
    : plural(totalCount, 'node');
}

function InstanceLine({ instance, onLeft }: { instance: Instance; onLeft: () => void }) {
  const { may } = useViewer();
  const [made, setMade] = useState<{ token: string; expiresAt: string }>();
  const { id, name, hostname, status, lastSeen } = instance;
  return (
    <>
      <div>
        <Status of={status} />{' '}
        <Link to="/instances/$id" params={{ id }}>
          {name}
        </Link>{' '}
        {hostname}, seen <Time at={lastSeen} />
      </div>
      <div className="actions">
        {may('fleet.credential.rotate') && (
          <Action
            document={RotateInstanceCredentialDocument}
            variables={{ id }}
            text="Other credential"
            label={`Other credential for ${name}`}
            confirm="The node gets it with its next beat. The one that it has counts until then. To put out who else has it, let the node back in instead."
            done={`${name} gets another credential with its next beat.`}
          />
        )}
        {may('fleet.token.create') && (
          <Action
            document={CreateReenrollmentTokenDocument}
            variables={{ instanceId: id }}
            text="Let it back in"
            label={`Let it back in: ${name}`}
            confirm="For a node that has lost its credential. A token is made by which it becomes this instance again; whoever has the credential now is refused then."
            done={`A token for ${name} is made.`}
            onDone={({ createReenrollmentToken }) => setMade(createReenrollmentToken)}
          />
        )}
        {may('fleet.instance.decommission') && (
          <Action
            document={DecommissionInstanceDocument}
            variables={{ id }}
            text="Take out of the fleet"
            label={`Take out of the fleet: ${name}`}
            confirm="This is for good: its credential is refused at once, and its place under the plan is free. Its history is kept."
            done={`${name} has left the fleet.`}
            onDone={onLeft}
          />
        )}
      </div>
      {made && (
        <Dialog title={`Token for ${name}`} isShownOnce onClose={() => setMade(undefined)}>
          <p>
            It is shown this once, is good for one use until {exactTime(made.expiresAt)}, and lets in this
            node only.
          </p>
          <Copied
            label="Line to paste"
            text={`npm run agent -- --panel ${location.origin} --token ${made.token}`}
          />
          <div className="actions">
            <button type="button" className="main" onClick={() => setMade(undefined)}>
              I have copied it
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
