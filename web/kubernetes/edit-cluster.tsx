import { UpdateClusterDocument, type ClusterDetailFragment } from '../generated/graphql.ts';
import { ActionForm } from '../parts/action-form.tsx';
import { Card } from '../parts/card.tsx';
import { changedOf } from '../parts/changed.ts';
import { textOf, wordsIn } from '../parts/form.ts';
import { ClusterFields } from './cluster-fields.tsx';

interface EditClusterProps {
  cluster: ClusterDetailFragment;
  onChange: () => void;
}

export function EditCluster({ cluster: { id, name, provider, region, tags }, onChange }: EditClusterProps) {
  return (
    <Card title="Change it">
      <ActionForm
        document={UpdateClusterDocument}
        variables={(form) => ({
          id,
          input: changedOf(
            { name, provider, region, tags },
            {
              name: textOf(form, 'name'),
              provider: textOf(form, 'provider'),
              region: textOf(form, 'region'),
              tags: wordsIn(textOf(form, 'tags')),
            },
          ),
        })}
        submit="Change it"
        done="The cluster is changed."
        onDone={onChange}
      >
        <ClusterFields name={name} provider={provider} region={region} tags={tags.join(', ')} />
      </ActionForm>
    </Card>
  );
}
