import { Link } from '@tanstack/react-router';

import { useFollowed } from '../api/use-followed.ts';
import { useRead } from '../api/use-read.ts';
import {
  CommandProgressedDocument,
  InstanceCommandsDocument,
  type CommandProgressedSubscription,
} from '../generated/graphql.ts';
import { Card } from '../parts/card.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';

/** The last commands that were sent to the instance. */
export function RecentCommands({ id }: { id: string }) {
  const { data, error, read } = useRead(InstanceCommandsDocument, { variables: { id } });
  // Many that changed together are told without any of them.
  const isAbout = ({ commandProgressed: { changed } }: CommandProgressedSubscription) =>
    changed === null || changed.instanceId === id;
  useFollowed(CommandProgressedDocument, { commandId: null }, read, true, isAbout);
  return (
    <Card title="Commands" error={error} retry={read}>
      {data?.commands.nodes.length === 0 && <p>None was sent to it.</p>}
      <ul className="lines">
        {data?.commands.nodes.map((command) => (
          <li key={command.id}>
            <Status of={command.status} />{' '}
            <Link to="/commands/$id" params={{ id: command.id }}>
              {words(command.command)}
            </Link>{' '}
            <Time at={command.createdAt} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
