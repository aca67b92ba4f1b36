import { UpdateClusterDocument, type ClusterDetailFragment } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { textOf } from '../parts/form.ts';
import { Kubeconfig } from './cluster-fields.tsx';

interface RotateCredentialProps {
  cluster: ClusterDetailFragment;
  onChange: () => void;
}

export function RotateCredential({ cluster: { id }, onChange }: RotateCredentialProps) {
  return (
    <Card title="Another credential">
      <p>It is tried before it takes the place of the one before, and has to be of the same cluster.</p>
      <ActionForm
        document={UpdateClusterDocument}
        variables={(form) => ({ id, input: { kubeconfig: textOf(form, 'kubeconfig') } })}
        submit="Take this credential"
        done="The credential is replaced."
        onDone={onChange}
      >
        <Kubeconfig />
      </ActionForm>
    </Card>
  );
}
