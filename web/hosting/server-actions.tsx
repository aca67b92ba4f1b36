import {
  DecommissionServerDocument,
  ProtectServerDocument,
  type ServerRowFragment,
} from '../generated/graphql.ts';
import { Action } from '../parts/action.tsx';
import { useViewer } from '../session/viewer.tsx';

interface ServerActionsProps {
  server: Pick<ServerRowFragment, 'id' | 'name' | 'status' | 'isProtected'>;
  onChange: (server: ServerRowFragment) => void;
}

/** What can be done with a server that is there. */
export function ServerActions({ server: { id, name, status, isProtected }, onChange }: ServerActionsProps) {
  const { may } = useViewer();
  const withCosts = may('hosting.cost.read');
  if (status === 'DELETING' || status === 'DELETED') return null;
  return (
    <div className="actions">
      {may('hosting.server.protect') && (
        <Action
          document={ProtectServerDocument}
          variables={{ id, isProtected: !isProtected, withCosts }}
          text={isProtected ? 'Unprotect' : 'Protect'}
          label={`${isProtected ? 'Unprotect' : 'Protect'} ${name}`}
          done={isProtected ? `${name} can be removed again.` : `${name} is protected.`}
          onDone={({ protectServer }) => onChange(protectServer)}
        />
      )}
      {may('hosting.server.decommission') && !isProtected && (
        <Action
          document={DecommissionServerDocument}
          variables={{ input: { id }, withCosts }}
          text="Remove"
          label={`Remove ${name}`}
          confirm="Commands under way on its node may end first. Then the server and all that is on it are deleted at the provider."
          done={`${name} is being removed.`}
          onDone={({ decommissionServer }) => onChange(decommissionServer)}
        />
      )}
    </div>
  );
}
