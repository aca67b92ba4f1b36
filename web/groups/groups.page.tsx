import { problemOf } from '../api/problem.ts';
import { usePages } from '../api/use-pages.ts';
import { GroupsDocument } from '../generated/graphql.ts';
import { Listing } from '../parts/listing.tsx';
import { Page } from '../parts/page.tsx';
import { useViewer } from '../session/viewer.tsx';
import { GroupLine } from './group-line.tsx';
import { NewGroup } from './new-group.tsx';

/** Names for some of the instances: policies, maintenance windows and canaries can be for them. */
export default function GroupsPage() {
  const { may } = useViewer();
  const isManager = may('fleet.group.manage');
  const { rows, error, hasMore, more, reload } = usePages(
    GroupsDocument,
    {},
    ({ instanceGroups }) => instanceGroups,
  );
  return (
    <Page title="Groups">
      <div className="cards">
        <Listing
          title="Groups of instances"
          rows={rows}
          told={error && problemOf(error)}
          retry={reload}
          more={hasMore ? more : undefined}
          empty={
            isManager
              ? 'There is no group yet. Make one below: policies and maintenance windows can be for it.'
              : 'There is no group yet.'
          }
          keyOf={({ id }) => id}
          render={(group) => <GroupLine group={group} onChange={reload} />}
        />
        {isManager && <NewGroup onMade={reload} />}
      </div>
    </Page>
  );
}
