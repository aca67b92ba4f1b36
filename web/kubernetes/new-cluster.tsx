import { RegisterClusterDocument } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { textOf, wordsIn } from '../parts/form.ts';
import { ClusterFields, Kubeconfig } from './cluster-fields.tsx';

export function NewCluster({ onMade }: { onMade: () => void }) {
  return (
    <Card title="Register a cluster">
      <ActionForm
        document={RegisterClusterDocument}
        variables={(form) => ({
          input: {
            name: textOf(form, 'name'),
            provider: textOf(form, 'provider'),
            region: textOf(form, 'region'),
            kubeconfig: textOf(form, 'kubeconfig'),
            tags: wordsIn(textOf(form, 'tags')),
          },
        })}
        submit="Register it"
        done="The cluster is registered."
        onDone={onMade}
      >
        <ClusterFields />
        <Kubeconfig />
      </ActionForm>
    </Card>
  );
}
