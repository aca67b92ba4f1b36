import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { useRead } from '../api/use-read.ts';
import { CommandOutputDocument, type ResultRowFragment } from '../generated/graphql.ts';
import { Problem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../parts/words.ts';

interface ResultProps {
  commandId: string;
  result: ResultRowFragment;
}

/** How a command is on one instance, and what came of it there. */
export function ResultLine({ commandId, result }: ResultProps) {
  const { instanceId, status, progress, exitCode, output, lateResult, instance, finishedAt } = result;
  const name = instance?.name ?? instanceId;
  return (
    <li className="row">
      <div>
        <Status of={status} />{' '}
        <Link to="/instances/$id" params={{ id: instanceId }}>
          {name}
        </Link>{' '}
        {finishedAt && <Time at={finishedAt} />} {exitCode !== null && `exit code ${exitCode}`}
        {progress !== null && status === 'IN_PROGRESS' && (
          <progress aria-label={`Progress on ${name}`} value={progress} max={100} />
        )}
        {lateResult && (
          <p className="quiet">
            The node has told <Time at={lateResult.reportedAt} />, too late to count:{' '}
            {words(lateResult.status).toLowerCase()}
            {lateResult.exitCode !== null && `, exit code ${lateResult.exitCode}`}
          </p>
        )}
        {/* At its end it may have printed something else. */}
        {(output || lateResult) && <Output key={status} commandId={commandId} result={result} name={name} />}
      </div>
    </li>
  );
}

/** As much of it as lists have, but for a character that was not to be cut in two. */
const listed = 1_999;

function Output({ commandId, result, name }: ResultProps & { name: string }) {
  const { instanceId, output, outputTruncated, lateResult } = result;
  const [isAsked, setAsked] = useState(false);
  const { data, told, read } = useRead(CommandOutputDocument, {
    variables: { id: commandId, instanceId },
    pause: !isAsked,
    requestPolicy: 'network-only',
  });
  const whole = data?.command.results[0];
  const text = whole?.output ?? output;
  const isCut = !whole && ((output?.length ?? 0) >= listed || lateResult !== null);
  return (
    <details>
      <summary>Output</summary>
      {outputTruncated && (
        <p className="quiet">The node printed more than is kept: the middle was left out.</p>
      )}
      {text && <pre tabIndex={0}>{text}</pre>}
      {whole?.lateResult?.output && (
        <>
          <p className="quiet">Told too late{whole.lateResult.outputTruncated && ', without its middle'}:</p>
          <pre tabIndex={0}>{whole.lateResult.output}</pre>
        </>
      )}
      <Problem told={told} retry={read} />
      {isCut && !told && (
        <button
          type="button"
          aria-label={`Show all of it: the output of ${name}`}
          aria-disabled={isAsked}
          onClick={() => setAsked(true)}
        >
          Show all of it
        </button>
      )}
    </details>
  );
}
