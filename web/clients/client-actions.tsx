import {
  RestoreMspClientDocument,
  SuspendMspClientDocument,
  UpdateMspClientDocument,
  type MspClientsQuery,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { actIn } from '../session/acting.ts';
import { useViewer } from '../session/viewer.tsx';

interface ClientActionsProps {
  client: Pick<MspClientsQuery['mspClients']['nodes'][number], 'id' | 'name' | 'status' | 'suspendedBy'>;
  /** Whom to invite again, where that is offered. */
  contactEmail?: string;
  /** Whether the client lets the viewer act in it. */
  isGranted: boolean;
  onChange: () => void;
}

/** What can be done with a client, and the way into it. */
export function ClientActions({ client, contactEmail, isGranted, onChange }: ClientActionsProps) {
  const { id, name, status, suspendedBy } = client;
  const isSuspended = suspendedBy.includes('PROVIDER');
  const { may } = useViewer();
  const isManager = may('identity.msp.manage');
  return (
    <div className="actions">
      {isGranted && may('identity.delegation.use') && (
        <button type="button" className="main" aria-label={`Act in ${name}`} onClick={() => actIn(id)}>
          Act in
        </button>
      )}
      {isManager && contactEmail !== undefined && status === 'ACTIVE' && (
        <Action
          document={UpdateMspClientDocument}
          variables={{ id, input: { contactEmail } }}
          text="Invite again"
          label={`Invite again: ${contactEmail} to ${name}`}
          confirm="While nobody has joined yet, another link is mailed, and the one of before ends."
          done={`${contactEmail} is invited again, unless somebody has joined.`}
          onDone={onChange}
        />
      )}
      {isManager && !isSuspended && (
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
      {isManager && isSuspended && (
        <Action
          document={RestoreMspClientDocument}
          variables={{ id }}
          text="Restore"
          label={`Restore ${name}`}
          done={
            suspendedBy.includes('PANEL')
              ? `${name} stays suspended by the panel's administrators.`
              : `${name} is restored.`
          }
          onDone={onChange}
        />
      )}
    </div>
  );
}
