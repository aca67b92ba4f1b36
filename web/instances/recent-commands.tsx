import { Link } from '@tanstack/react-router';

import { useRead } from '../api/use-read.ts';
import { InstanceCommandsDocument } from '../generated/graphql.ts';
import { Card } from '../parts/card.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';

/** The last commands that were sent to the instance. */
export function RecentCommands({ id }: { id: string }) {
  const { data, error, read } = useRead(InstanceCommandsDocument, { variables: { id } });
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
