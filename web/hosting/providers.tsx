import { useState } from 'react';

import type { Reading } from '../api/use-read.ts';
import {
  ConnectProviderDocument,
  DisconnectProviderDocument,
  type ProvidersQuery,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Action } from '../parts/action.tsx';
import { Field } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { Listing } from '../parts/listing.tsx';
import { Status } from '../parts/status.tsx';
import { useViewer } from '../session/viewer.tsx';

interface ProvidersProps {
  reading: Reading<ProvidersQuery>;
}

interface ProviderProps {
  id: string;
  name: string;
  onChange: () => void;
}

/** A token is taken; one that does not show the servers that are there only when they may be left behind. */
function Connect({ id, name, onChange }: ProviderProps) {
  const [wouldLeave, setWouldLeave] = useState(false);
  return (
    <ActionForm
      document={ConnectProviderDocument}
      variables={(form) => ({
        input: {
          provider: id,
          token: textOf(form, 'token'),
          ...(wouldLeave ? { leavesServers: form.get('leavesServers') === 'on' } : {}),
        },
      })}
      submit={`Connect ${name}`}
      done={`${name} is connected.`}
      onDone={() => {
        setWouldLeave(false);
        onChange();
      }}
      onRefused={({ reason }) => setWouldLeave(reason === 'OTHER_PROJECT')}
    >
      <Field
        label={`API token of ${name}`}
        name="token"
        type="password"
        autoComplete="off"
        required
        hint="It is tried, kept sealed, and never shown again."
      />
      {wouldLeave && (
        <label className="check">
          <input type="checkbox" name="leavesServers" /> Leave the servers behind that it does not show: they
          stay at the provider, and are paid for there
        </label>
      )}
    </ActionForm>
  );
}

/** An account whose token is lost for good may be let go of with its servers. */
function Disconnect({ id, name, onChange }: ProviderProps) {
  const [wouldLeave, setWouldLeave] = useState(false);
  return (
    <div className="actions">
      <Action
        document={DisconnectProviderDocument}
        variables={{ provider: id }}
        text="Disconnect"
        label={`Disconnect ${name}`}
        confirm="Its token is forgotten. It can be when no server of it is left here."
        done={`${name} is disconnected.`}
        onDone={onChange}
        onRefused={({ reason }) => setWouldLeave(reason === 'SERVERS_LEFT')}
      />
      {wouldLeave && (
        <Action
          document={DisconnectProviderDocument}
          variables={{ provider: id, leavesServers: true }}
          text="Leave its servers"
          label={`Leave the servers of ${name} behind`}
          confirm="The token is forgotten and the servers end here. They stay at the provider, and are paid for there."
          done={`${name} is disconnected.`}
          onDone={onChange}
        />
      )}
    </div>
  );
}

/** Where servers can be ordered, and with what account. */
export function Providers({ reading: { data, told, read } }: ProvidersProps) {
  const { may } = useViewer();
  const isManager = may('hosting.provider.manage');
  return (
    <Listing
      title="Providers"
      rows={data?.hostingProviders}
      told={told}
      retry={read}
      empty="This panel knows none."
      keyOf={({ id }) => id}
      render={({ id, name, status, sandbox, problem, configured }) => (
        <>
          <div>
            <Status of={status} /> <strong>{name}</strong> {sandbox && 'a stand-in: nothing is paid for'}
            {problem && <p className="wrong">{problem}</p>}
            {isManager && (
              <details>
                <summary>{configured ? `Another token for ${name}` : `Connect ${name}`}</summary>
                <Connect id={id} name={name} onChange={read} />
              </details>
            )}
          </div>
          {isManager && configured && <Disconnect id={id} name={name} onChange={read} />}
        </>
      )}
    />
  );
}
