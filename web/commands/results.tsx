import { getRouteApi, Link } from '@tanstack/react-router';

import { problemOf } from '../api/problem.ts';
import { useLive } from '../api/use-live.ts';
import { usePages, type PagePart } from '../api/use-pages.ts';
import { useThrottled } from '../api/use-throttled.ts';
import {
  CommandProgressedDocument,
  CommandResultsDocument,
  type CommandResultsQuery,
  type CommandRowFragment,
  type ResultRowFragment,
} from '../generated/graphql.ts';
import { Choice } from '../parts/field.tsx';
import { Problem } from '../parts/problem.tsx';
import { resultGroupNames, resultGroups } from './command-search.ts';
import { ResultLine } from './result-line.tsx';

const route = getRouteApi('/commands/$id');

/** Of each page one more is read, by which is known whether there are others. */
const pageSize = 100;

function partOf({
  fleetCursor,
  command: { results },
}: CommandResultsQuery): PagePart<ResultRowFragment & { id: string }> {
  const shown = results.slice(0, pageSize);
  return {
    nodes: shown.map((result) => ({ ...result, id: result.instanceId })),
    pageInfo: { endCursor: shown.at(-1)?.instanceId ?? null, hasNextPage: results.length > pageSize },
    cursor: fleetCursor,
  };
}

/** A command at work changes all the time. */
const everyMs = 2_000;

/**
 * How a command goes on each of its instances, or on those on which it went one way or another: a page of them at a time, for
 * there may be ten thousand, of which none is in the page that is not looked at.
 */
export function Results({ command: { id, total, counts } }: { command: CommandRowFragment }) {
  const { show, after } = route.useSearch();
  const navigate = route.useNavigate();
  const group = show && resultGroups[show];
  const chosen = show ? { show } : {};
  const { rows, error, hasMore, end, cursor, put, reload } = usePages(
    CommandResultsDocument,
    { id, statuses: group?.statuses ?? null, after: after ?? null },
    partOf,
  );
  const readSoon = useThrottled(reload, everyMs);
  useLive(
    CommandProgressedDocument,
    { commandId: id },
    {
      after: cursor,
      next: ({ commandProgressed: { changed } }) => {
        // Many have changed together.
        if (!changed) return readSoon();
        const isKnown = rows?.some((row) => row.id === changed.instanceId);
        // One that ends otherwise while it is looked at stays in sight, with its new state.
        if (isKnown) return put({ ...changed, id: changed.instanceId });
        // It may be before what is shown, or behind it: a page has the order of the whole list.
        if (group?.statuses.some((status) => status === changed.status)) readSoon();
      },
      lost: reload,
    },
  );
  return (
    <>
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <Choice
          label="Show"
          value={show ?? ''}
          options={[
            { value: '', text: `All (${total})` },
            ...resultGroupNames.map((value) => {
              const { text, counts: name } = resultGroups[value];
              return { value, text: `${text} (${counts[name]})` };
            }),
          ]}
          onChange={(value) => void navigate({ search: value === '' ? {} : { show: value }, replace: true })}
        />
      </form>
      <Problem told={error && problemOf(error)} retry={reload} />
      {rows?.length === 0 && (
        <p>{after === undefined ? 'It is like this on no instance.' : 'There is none behind these.'}</p>
      )}
      <ul className="rows" aria-label="Instances of this command">
        {rows?.map((result) => (
          <ResultLine key={result.id} commandId={id} result={result} />
        ))}
      </ul>
      {(after !== undefined || hasMore) && (
        <nav className="actions" aria-label="Pages of the list">
          {after !== undefined && (
            <Link to="/commands/$id" params={{ id }} search={chosen} className="button">
              First page
            </Link>
          )}
          {hasMore && end !== null && (
            <Link to="/commands/$id" params={{ id }} search={{ ...chosen, after: end }} className="button">
              Next page
            </Link>
          )}
        </nav>
      )}
    </>
  );
}
