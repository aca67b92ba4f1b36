import { getRouteApi, Link } from '@tanstack/react-router';
import { useDeferredValue, useMemo } from 'react';

import { problemOf } from '../api/problem.ts';
import { Choice, Field } from '../parts/field.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { withoutEmpty } from '../parts/search.ts';
import { plural, words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { InstanceGrid } from './instance-grid.tsx';
import { statuses, type InstanceSearch, type SortKey } from './instance-search.ts';
import { chosen } from './sorted.ts';
import { useInstanceRows } from './use-instance-rows.ts';

const route = getRouteApi('/instances');

/** The whole fleet in one list, as it is now. What is shown of it is in the address. */
export default function InstancesPage() {
  const { may } = useViewer();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { rows, shown, error, read } = useInstanceRows();
  const wanted = useDeferredValue(search);
  const found = useMemo(() => chosen(shown.all, wanted), [shown, wanted]);
  const tags = useMemo(() => [...new Set(shown.all.flatMap(({ tags: own }) => own))].sort(), [shown]);
  const change = (more: InstanceSearch) =>
    void navigate({
      search: (before) => withoutEmpty<InstanceSearch>({ ...before, ...more }),
      replace: true,
    });
  const sortBy = (key: SortKey) => change({ sort: key, desc: search.sort === key && !search.desc });
  // A command can go by a tag; by what else the list is narrowed to it can not.
  const isOfTagAlone = search.tag !== undefined && search.q === undefined && search.status === undefined;
  const isFiltered = search.q !== undefined || search.status !== undefined || search.tag !== undefined;
  return (
    <Page
      title="Instances"
      actions={
        <>
          {isOfTagAlone && may('fleet.command.send') && (
            <Link to="/commands/new" search={{ tag: search.tag! }} className="button">
              Send a command to these
            </Link>
          )}
          {may('fleet.token.create') && (
            <Link to="/enrollment" className="button">
              Enroll a node
            </Link>
          )}
        </>
      }
    >
      <Problem told={error && problemOf(error)} retry={read} />
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <Field
          label="Name or host"
          type="search"
          value={search.q ?? ''}
          onChange={(event) => change({ q: event.target.value })}
        />
        <Choice
          label="Status"
          value={search.status ?? ''}
          options={[{ value: '', text: 'Any' }, ...statuses.map((value) => ({ value, text: words(value) }))]}
          onChange={(value) => change({ status: value === '' ? undefined : value } as InstanceSearch)}
        />
        <Choice
          label="Tag"
          value={search.tag ?? ''}
          options={[{ value: '', text: 'Any' }, ...tags.map((value) => ({ value, text: value }))]}
          onChange={(value) => change({ tag: value })}
        />
      </form>
      <p role="status" className="quiet">
        {shown.isComplete
          ? plural(found.length, 'instance')
          : error
            ? `Not all could be read: ${readText(shown)}.`
            : `Reading ${readText(shown)}…`}
      </p>
      {shown.isComplete && found.length === 0 && (
        <Empty>
          {isFiltered ? (
            <>
              <p>No instance is like this.</p>
              <Link to="/instances">Show all</Link>
            </>
          ) : (
            <>
              <p>No node has enrolled yet.</p>
              {may('fleet.token.create') && <Link to="/enrollment">Enroll the first node</Link>}
            </>
          )}
        </Empty>
      )}
      {found.length > 0 && (
        <InstanceGrid
          rows={found}
          sort={search.sort}
          isDescending={search.desc ?? false}
          onSort={sortBy}
          readingsOf={(id) => rows.readingsOf(id)}
        />
      )}
    </Page>
  );
}

function readText({ all, total }: { all: readonly unknown[]; total: number | undefined }): string {
  return total === undefined ? 'instances' : `${all.length} of ${total} instances`;
}
