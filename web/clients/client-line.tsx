import {
  DeleteMspClientDocument,
  RestoreMspClientDocument,
  SuspendMspClientDocument,
  UpdateMspClientDocument,
  type DelegationsReceivedQuery,
  type MspClientsQuery,
  type Plan,
} from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Action } from '../parts/action.tsx';
import { Meter } from '../parts/card.tsx';
import { Field, Select } from '../parts/field.tsx';
import { textOf } from '../parts/form.ts';
import { Status } from '../parts/status.tsx';
import { exactTime } from '../parts/time.tsx';
import { words } from '../parts/words.ts';
import { actIn } from '../session/acting.ts';
import { useViewer } from '../session/viewer.tsx';
import { plans } from './plans.ts';

interface ClientLineProps {
  client: MspClientsQuery['mspClients']['nodes'][number];
  grant: DelegationsReceivedQuery['delegationsReceived']['nodes'][number] | undefined;
  onChange: () => void;
}

/** One client, and the way to act in it while it grants that. */
export function ClientLine({ client, grant, onChange }: ClientLineProps) {
  const { may } = useViewer();
  const { id, name, contactEmail, plan, instanceLimit, instancesUsed, status, eraseAt } = client;
  const isManager = may('identity.msp.manage');
  return (
    <>
      <div>
        <Status of={status} /> <strong>{name}</strong> {words(plan)}, {contactEmail}
        {eraseAt && <p className="wrong">All of it is erased {exactTime(eraseAt)}.</p>}
        <Meter label="Instances" used={instancesUsed} limit={instanceLimit} />
        <p className="quiet">
          {grant
            ? `You may act in it as ${words(grant.role).toLowerCase()} until ${exactTime(grant.expiresAt)}.`
            : 'Its owner has granted no access. They do so at Members, Access of the provider.'}
        </p>
        {isManager && (
          <details>
            <summary>Change {name}</summary>
            <ActionForm
              document={UpdateMspClientDocument}
              variables={(form) => ({
                id,
                input: {
                  plan: textOf(form, 'plan') as Plan,
                  instanceLimit: Number(form.get('instanceLimit')),
                },
              })}
              submit={`Change ${name}`}
              done={`${name} is changed.`}
              onDone={onChange}
            >
              <Select label="Plan" name="plan" options={plans} defaultValue={plan} />
              <Field
                label="Instances, at most"
                name="instanceLimit"
                type="number"
                min={1}
                required
                defaultValue={instanceLimit}
              />
            </ActionForm>
          </details>
        )}
      </div>
      <div className="actions">
        {grant && may('identity.delegation.use') && (
          <button type="button" className="main" aria-label={`Act in ${name}`} onClick={() => actIn(id)}>
            Act in
          </button>
        )}
        {isManager && status === 'ACTIVE' && (
          <Action
            document={SuspendMspClientDocument}
            variables={{ id }}
            text="Suspend"
            label={`Suspend ${name}`}
            confirm="Its people and nodes are refused until it is restored. Nothing is deleted."
            done={`${name} is suspended.`}
            onDone={onChange}
          />
        )}
        {isManager && status === 'SUSPENDED' && (
          <Action
            document={RestoreMspClientDocument}
            variables={{ id }}
            text="Restore"
            label={`Restore ${name}`}
            done={`${name} is restored.`}
            onDone={onChange}
          />
        )}
        {isManager && eraseAt === null && (
          <Action
            document={DeleteMspClientDocument}
            variables={{ id }}
            text="Delete"
            label={`Delete ${name}`}
            confirm="Its people and nodes are refused at once, and all of it is erased in 30 days. Until then it can be restored."
            done={`${name} is deleted, and erased in 30 days.`}
            onDone={onChange}
          />
        )}
      </div>
    </>
  );
}
