import { getRouteApi } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { useClient } from 'urql';

import { problemOf, type Told } from '../api/problem.ts';
import { useAppended } from '../api/use-appended.ts';
import { usePages } from '../api/use-pages.ts';
import {
  AuditEventRecordedDocument,
  AuditEventsDocument,
  VerifyAuditDocument,
  type VerifyAuditQuery,
} from '../generated/graphql.ts';
import { Download } from '../parts/download.tsx';
import { Field, Select } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { count, words } from '../parts/words.ts';
import { AuditEntry } from './audit-entry.tsx';
import { auditFilter, auditSearch } from './audit-search.ts';
import { useMemberNames } from './use-member-names.ts';

const route = getRouteApi('/audit');

const categories = [
  { value: '', text: 'Any' },
  { value: 'MUTATION', text: 'Mutations' },
  { value: 'SECURITY', text: 'Security events' },
];

/** After so many new entries the list is read anew as far as it was shown, so that a page left open does not grow for good. */
const mostAdded = 500;

/** Who did what, to what, from where, and when: newest first, and whether nobody has changed it since. */
export default function AuditPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const names = useMemberNames();
  const filter = auditFilter(search);
  const { rows, error, hasMore, more, put, reload } = usePages(
    AuditEventsDocument,
    { filter },
    ({ auditEvents }) => auditEvents,
  );
  const added = useRef(0);
  useAppended(
    AuditEventRecordedDocument,
    { filter },
    {
      next: ({ auditEventRecorded }) => {
        put(auditEventRecorded);
        added.current += 1;
        if (added.current % mostAdded === 0) reload();
      },
      read: reload,
    },
  );
  return (
    <Page
      title="Audit trail"
      actions={
        <>
          <Download
            path="/audit/export"
            name="audit.csv"
            text="Save as CSV"
            label="Save as CSV: the whole trail"
          />
          <Verify />
        </>
      }
    >
      <form
        key={JSON.stringify(search)}
        className="filters"
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          void navigate({
            search: auditSearch(
              Object.fromEntries([...form.keys()].map((name) => [name, textOf(form, name)])),
            ),
          });
        }}
      >
        <Field label="Who" name="actor" defaultValue={search.actor} placeholder="usr_…" />
        <Field label="What" name="action" defaultValue={search.action} placeholder="createApiKey" />
        <Field label="To what" name="target" defaultValue={search.target} placeholder="inst_…" />
        <Select label="Kind" name="category" options={categories} defaultValue={search.category ?? ''} />
        <Field label="From" name="from" type="date" defaultValue={search.from} />
        <Field label="To" name="to" type="date" defaultValue={search.to} />
        <Field label="Request" name="requestId" defaultValue={search.requestId} />
        <button className="main">Show these</button>
      </form>
      <Listing
        title="Entries"
        // Of two that were added at the same time either may be told first.
        rows={rows?.toSorted((one, other) => other.sequence - one.sequence)}
        told={error && problemOf(error)}
        retry={reload}
        more={hasMore ? more : undefined}
        empty="No entry is like this. Leave a field empty to see more."
        keyOf={({ id }) => id}
        render={(entry) => <AuditEntry entry={entry} names={names} />}
      />
    </Page>
  );
}

/** Walks the whole chain of hashes, at the panel. */
function Verify() {
  const client = useClient();
  const [found, setFound] = useState<VerifyAuditQuery['verifyAudit']>();
  const [told, setTold] = useState<Told>();
  const [isBusy, setBusy] = useState(false);
  const verify = async () => {
    if (isBusy) return;
    setBusy(true);
    const { data, error } = await client
      .query(VerifyAuditDocument, {}, { requestPolicy: 'network-only' })
      .toPromise();
    setBusy(false);
    setFound(data?.verifyAudit);
    setTold(error && problemOf(error));
  };
  return (
    <>
      <button type="button" aria-disabled={isBusy} onClick={() => void verify()}>
        Verify the trail
      </button>
      <Problem told={told} />
      <p role="status" className={found?.isIntact === false ? 'wrong' : undefined}>
        {found &&
          (found.isIntact
            ? `Intact: ${count(found.checked)} entries, the last one ${found.headHash.slice(0, 12)}…`
            : `Not intact at entry ${found.brokenAt}: ${words(found.problem ?? 'UNKNOWN').toLowerCase()}. Tell whoever runs this panel.`)}
      </p>
    </>
  );
}
