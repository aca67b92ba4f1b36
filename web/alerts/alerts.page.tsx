import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';

import { problemOf } from '../api/problem.ts';
import { useLive } from '../api/use-live.ts';
import { usePages } from '../api/use-pages.ts';
import { AlertChangedDocument, AlertsDocument, type AlertRowFragment } from '../generated/graphql.ts';
import { useWho } from '../organization/use-member-names.ts';
import { Choice } from '../parts/field.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { AcknowledgeDialog } from './acknowledge-dialog.tsx';
import { AlertLine } from './alert-line.tsx';
import { alertRules, alertStatuses, isActive, severities, type AlertSearch } from './alert-search.ts';
import { SilenceDialog } from './silence-dialog.tsx';
import { Silences } from './silences.tsx';
import { AlertTabs } from './tabs.tsx';

const route = getRouteApi('/alerts');

/** What is wrong, newest first, and what is done about it. */
export default function AlertsPage() {
  const { may } = useViewer();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [silenced, setSilenced] = useState<AlertRowFragment>();
  const [isTakingUp, setTakingUp] = useState(false);
  const who = useWho();
  const [silencesTurn, setSilencesTurn] = useState(0);
  const filter = {
    status: search.status ?? null,
    severity: search.severity ?? null,
    rule: search.rule ?? null,
    instanceId: search.instance ?? null,
  };
  const { rows, error, hasMore, cursor, put, reload, more } = usePages(
    AlertsDocument,
    { filter },
    ({ alerts, fleetCursor }) => ({ ...alerts, cursor: fleetCursor }),
  );
  useLive(
    AlertChangedDocument,
    { instanceId: search.instance ?? null },
    {
      after: cursor,
      next: ({ alertChanged }) => {
        const isKnown = rows?.some(({ id }) => id === alertChanged.id);
        // One that changes its state while it is looked at stays in sight, with its new state.
        if (isKnown || fits(alertChanged, search)) put(alertChanged);
      },
      lost: reload,
    },
  );
  const change = (more: Partial<Record<keyof AlertSearch, string>>) =>
    void navigate({
      search: (before) =>
        Object.fromEntries(Object.entries({ ...before, ...more }).filter(([, value]) => value)),
      replace: true,
    });
  return (
    <Page title="Alerts" actions={<AlertTabs />}>
      <Problem told={error && problemOf(error)} retry={reload} />
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <Choice
          label="State"
          value={search.status ?? ''}
          options={[
            { value: '', text: 'Active' },
            ...alertStatuses.map((value) => ({ value, text: words(value) })),
          ]}
          onChange={(status) => change({ status })}
        />
        <Choice
          label="Severity"
          value={search.severity ?? ''}
          options={[
            { value: '', text: 'Any' },
            ...severities.map((value) => ({ value, text: words(value) })),
          ]}
          onChange={(severity) => change({ severity })}
        />
        <Choice
          label="Rule"
          value={search.rule ?? ''}
          options={[
            { value: '', text: 'Any' },
            ...alertRules.map((value) => ({ value, text: words(value) })),
          ]}
          onChange={(rule) => change({ rule })}
        />
        {search.instance && (
          <button type="button" onClick={() => change({ instance: '' })}>
            Of all instances
          </button>
        )}
        {may('fleet.alert.acknowledge') && rows?.some(({ status }) => status === 'FIRING') && (
          <button type="button" aria-haspopup="dialog" onClick={() => setTakingUp(true)}>
            Acknowledge all of these
          </button>
        )}
      </form>
      {!rows && !error && <p role="status">Reading…</p>}
      {rows?.length === 0 && (
        <Empty>
          <p>No alert is like this.</p>
          {Object.keys(search).length > 0 && <Link to="/alerts">Show all</Link>}
        </Empty>
      )}
      <ul className="rows" aria-label="Alerts">
        {rows?.map((alert) => (
          <AlertLine key={alert.id} alert={alert} who={who} onChange={put} onSilence={setSilenced} />
        ))}
      </ul>
      {hasMore && (
        <button type="button" onClick={more}>
          Show older ones
        </button>
      )}
      <Silences key={silencesTurn} mayEnd={may('fleet.silence.expire')} onEnd={reload} />
      {isTakingUp && <AcknowledgeDialog search={search} onClose={() => setTakingUp(false)} onDone={reload} />}
      {silenced && (
        <SilenceDialog
          alert={silenced}
          onClose={() => setSilenced(undefined)}
          onMade={() => {
            setSilenced(undefined);
            setSilencesTurn((turn) => turn + 1);
            reload();
          }}
        />
      )}
    </Page>
  );
}

function fits(alert: AlertRowFragment, { status, severity, rule, instance }: AlertSearch): boolean {
  return (
    (status === undefined ? isActive(alert.status) : alert.status === status) &&
    (severity === undefined || alert.severity === severity) &&
    (rule === undefined || alert.rule === rule) &&
    (instance === undefined || alert.instanceId === instance)
  );
}
