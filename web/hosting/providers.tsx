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
  providers: ProvidersQuery['hostingProviders'];
  onChange: () => void;
}

/** Where servers can be ordered, and with what account. */
export function Providers({ providers, onChange }: ProvidersProps) {
  const { may } = useViewer();
  const isManager = may('hosting.provider.manage');
  return (
    <Listing
      title="Providers"
      rows={providers}
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
                <ActionForm
                  document={ConnectProviderDocument}
                  variables={(form) => ({ input: { provider: id, token: textOf(form, 'token') } })}
                  submit={`Connect ${name}`}
                  done={`${name} is connected.`}
                  onDone={onChange}
                >
                  <Field
                    label={`API token of ${name}`}
                    name="token"
                    type="password"
                    autoComplete="off"
                    required
                    hint="It is tried, kept sealed, and never shown again."
                  />
                </ActionForm>
              </details>
            )}
          </div>
          {isManager && configured && (
            <Action
              document={DisconnectProviderDocument}
              variables={{ provider: id }}
              text="Disconnect"
              label={`Disconnect ${name}`}
              confirm="Its token is forgotten. Servers that are there stay, and can not be changed from here."
              done={`${name} is disconnected.`}
              onDone={onChange}
            />
          )}
        </>
      )}
    />
  );
}
