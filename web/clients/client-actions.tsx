import {
  RestoreMspClientDocument,
  SuspendMspClientDocument,
  type MspClientsQuery,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { actIn } from '../session/acting.ts';
import { useViewer } from '../session/viewer.tsx';

interface ClientActionsProps {
  client: Pick<MspClientsQuery['mspClients']['nodes'][number], 'id' | 'name' | 'status'>;
  /** Whether the client lets the viewer act in it. */
  isGranted: boolean;
  onChange: () => void;
}

/** What can be done with a client, and the way into it. */
export function ClientActions({ client: { id, name, status }, isGranted, onChange }: ClientActionsProps) {
  const { may } = useViewer();
  const isManager = may('identity.msp.manage');
  return (
    <div className="actions">
      {isGranted && may('identity.delegation.use') && (
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
    </div>
  );
}
