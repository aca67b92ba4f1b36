import { getRouteApi, Link } from '@tanstack/react-router';

import { problemOf } from '../api/problem.ts';
import { useLive } from '../api/use-live.ts';
import { usePages } from '../api/use-pages.ts';
import { CommandProgressedDocument, CommandsDocument } from '../generated/graphql.ts';
import { Choice } from '../parts/field.tsx';
import { Empty, Page } from '../parts/page.tsx';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { useViewer } from '../session/viewer.tsx';
import { commandStatuses, type CommandSearch } from './command-search.ts';
import { ProgressBar } from './progress-bar.tsx';

const route = getRouteApi('/commands');

/** What nodes were told to do, newest first. */
export default function CommandsPage() {
  const { may } = useViewer();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { rows, error, hasMore, cursor, put, reload, more } = usePages(
    CommandsDocument,
    { filter: { status: search.status ?? null } },
    ({ commands, fleetCursor }) => ({ ...commands, cursor: fleetCursor }),
  );
  useLive(
    CommandProgressedDocument,
    { commandId: null },
    {
      after: cursor,
      next: ({ commandProgressed }) => {
        const { changed: _, ...command } = commandProgressed;
        const isKnown = rows?.some(({ id }) => id === command.id);
        if (isKnown || search.status === undefined || search.status === command.status) put(command);
      },
      lost: reload,
    },
  );
  return (
    <Page
      title="Commands"
      actions={
        may('fleet.command.send') && (
          <Link to="/commands/new" className="button main">
            Send a command
          </Link>
        )
      }
    >
      <Problem told={error && problemOf(error)} retry={reload} />
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <Choice
          label="State"
          value={search.status ?? ''}
          options={[
            { value: '', text: 'Any' },
            ...commandStatuses.map((value) => ({ value, text: words(value) })),
          ]}
          onChange={(status) => {
            const chosen: CommandSearch = status === '' ? {} : { status };
            void navigate({ search: chosen, replace: true });
          }}
        />
      </form>
      {!rows && !error && <p role="status">Reading…</p>}
      {rows?.length === 0 && (
        <Empty>
          <p>{search.status ? 'No command is in this state.' : 'No command was sent yet.'}</p>
          {may('fleet.command.send') && <Link to="/commands/new">Send the first one</Link>}
        </Empty>
      )}
      <ul className="rows" aria-label="Commands">
        {rows?.map((command) => (
          <li key={command.id} className="row">
            <div>
              <Status of={command.status} />{' '}
              <Link to="/commands/$id" params={{ id: command.id }}>
                {words(command.command)}
              </Link>{' '}
              <Time at={command.createdAt} />
              {command.status === 'PENDING' && command.startAt && new Date(command.startAt) > new Date() && (
                <>
                  , begins <Time at={command.startAt} />
                </>
              )}
              <ProgressBar command={command} />
            </div>
          </li>
        ))}
      </ul>
      {hasMore && (
        <button type="button" onClick={more}>
          Show older ones
        </button>
      )}
    </Page>
  );
}
