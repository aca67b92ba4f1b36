import { useState } from 'react';

import {
  CancelUpgradeDocument,
  ResumeUpgradeDocument,
  StartUpgradeDocument,
  type HaUpgradeRowFragment,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { Field } from '../parts/field.tsx';
import { Listing } from '../parts/listing.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { useViewer } from '../session/viewer.tsx';

interface UpgradesProps {
  upgrades: readonly HaUpgradeRowFragment[];
  onChange: () => void;
}

/** Rolling upgrades: the one under way step by step, those before, and the next. */
export function Upgrades({ upgrades, onChange }: UpgradesProps) {
  const { may } = useViewer();
  const isUnderWay = upgrades.some(({ status }) => status === 'RUNNING' || status === 'PAUSED');
  return (
    <>
      <Listing
        title="Upgrades"
        rows={upgrades}
        empty="There was none yet."
        keyOf={({ id }) => id}
        render={(upgrade) => <UpgradeLine upgrade={upgrade} onChange={onChange} />}
      />
      {!isUnderWay && may('hosting.ha.manage') && <NewUpgrade onChange={onChange} />}
    </>
  );
}

function UpgradeLine({ upgrade, onChange }: { upgrade: HaUpgradeRowFragment; onChange: () => void }) {
  const { may } = useViewer();
  const { id, version, status, reason, createdAt, steps } = upgrade;
  const variables = { input: { id } };
  const mayAct = may('hosting.ha.manage');
  return (
    <>
      <div>
        <Status of={status} /> to version <strong>{version}</strong>, asked for <Time at={createdAt} />
        {reason && <p>{reason}</p>}
        <ol className="lines">
          {steps.map(({ node, status: of, fromVersion, finishedAt }) => (
            <li key={node}>
              <Status of={of} /> {node}, from version {fromVersion} {finishedAt && <Time at={finishedAt} />}
            </li>
          ))}
        </ol>
      </div>
      {mayAct && (status === 'RUNNING' || status === 'PAUSED') && (
        <div className="actions">
          {status === 'PAUSED' && (
            <Action
              document={ResumeUpgradeDocument}
              variables={variables}
              text="Go on"
              label={`Go on with the upgrade to ${version}`}
              done="The upgrade goes on."
              onDone={onChange}
              isMain
            />
          )}
          <Action
            document={CancelUpgradeDocument}
            variables={variables}
            text="Call off"
            label={`Call off the upgrade to ${version}`}
            confirm="No further process is told to end. Those that have the version keep it."
            done="The upgrade is called off."
            onDone={onChange}
          />
        </div>
      )}
    </>
  );
}

function NewUpgrade({ onChange }: { onChange: () => void }) {
  const [typed, setVersion] = useState('');
  const version = typed.trim();
  return (
    <details>
      <summary>Upgrade all processes</summary>
      <form className="form" onSubmit={(event) => event.preventDefault()}>
        <Field
          label="To version"
          value={typed}
          onChange={(event) => setVersion(event.target.value)}
          maxLength={100}
          hint="What each process reports once it was started anew, by whoever supervises it."
        />
        {version !== '' && (
          <Action
            document={StartUpgradeDocument}
            variables={{ input: { version } }}
            text="Begin"
            label={`Begin the upgrade to ${version}`}
            confirm="Each process is told to end once it is drained, one at a time and the leader last. Whoever supervises it has to start the new version in its place."
            done="The upgrade has begun."
            onDone={() => {
              setVersion('');
              onChange();
            }}
            isMain
          />
        )}
      </form>
    </details>
  );
}
