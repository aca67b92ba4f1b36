import { useId, useState } from 'react';

import { problemOf } from '../api/problem.ts';
import { useRead } from '../api/use-read.ts';
import { PodLogDocument } from '../generated/graphql.ts';
import { Problem } from '../parts/problem.tsx';
import type { PodLine } from './pods.tsx';

const lines = 200;

/** The last lines of one container, now or before it was started anew. Read when it is opened, and when somebody asks. */
export function PodLog({ deploymentId, pod }: { deploymentId: string; pod: PodLine }) {
  const { name, containers, restarts } = pod;
  const id = useId();
  const [container, setContainer] = useState<string>();
  const [previous, setPrevious] = useState(false);
  const { data, error, read } = useRead(PodLogDocument, {
    variables: { input: { deploymentId, pod: name, container: container ?? null, lines, previous } },
    requestPolicy: 'network-only',
  });
  const log = data?.podLog;
  return (
    <div>
      {containers.length > 1 && (
        <p>
          <label htmlFor={id}>Container</label>{' '}
          <select
            id={id}
            value={container ?? ''}
            onChange={(event) => setContainer(event.target.value === '' ? undefined : event.target.value)}
          >
            <option value="">its first own one</option>
            {containers.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </p>
      )}
      {restarts > 0 && (
        <p>
          <label>
            <input
              type="checkbox"
              checked={previous}
              onChange={(event) => setPrevious(event.target.checked)}
            />{' '}
            Of before it was started anew
          </label>
        </p>
      )}
      {error && <Problem told={problemOf(error)} retry={read} />}
      {!log && !error && <p className="quiet">Reading…</p>}
      {log?.text === '' && <p>It has written nothing.</p>}
      {log && log.text !== '' && (
        <pre tabIndex={0} aria-label={`Log of ${name}`}>
          {log.text}
        </pre>
      )}
      {log?.isCut && <p>The newest lines are missing: they are longer than the panel shows at a time.</p>}
      {log && (
        <button type="button" onClick={read}>
          Read the last {lines} lines anew
        </button>
      )}
    </div>
  );
}
